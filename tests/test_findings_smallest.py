"""The smallest ε and the queries to success, counted on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, bootstrap

from audit.findings import derive
from audit.metrics.bootstrap import resample
from audit.metrics.quantile import order_limits, quantile, resampled_limits
from tests.tables import attack, one, table

MOST = 16 / 255
TARGETS = [1] * 12 + [0] * 10
CALLED = [1] * 12 + [0] * 8 + [1] * 2  # two wrong without stress: 20 are attacked


def smallest(radii: dict[int, float]):  # type: ignore[no-untyped-def]
    """A run of smallest_epsilon that fooled these cases at these radii and no other."""
    params = {"attack": "fgsm", "max_epsilon": MOST}
    run = attack(TARGETS, CALLED, set(radii), "smallest_epsilon", MOST, params=params)
    found = tuple(
        {"epsilon": radii[int(case)]} if int(case) in radii else {"above": MOST}
        for case in run.rows.case
    )
    return replace(run, rows=replace(run.rows, found=found))


def found_for(run, patients=None):  # type: ignore[no-untyped-def]
    return derive(table(TARGETS, CALLED, run, patients=patients), None, 0, 500)


def test_the_quartiles_are_those_of_the_cases_decided_correctly() -> None:
    levels = np.arange(1, 16)  # 1/255 … 15/255; five of the twenty were not fooled
    run = smallest({i: float(level) / 255 for i, level in enumerate(levels)})
    found = found_for(run)
    low, mid, high = (
        one(found, name, stress="smallest_epsilon")
        for name in (
            "smallest_epsilon_lower_quartile",
            "smallest_epsilon",
            "smallest_epsilon_upper_quartile",
        )
    )
    # the 5th, 10th and 15th of twenty
    assert [255 * f.value for f in (low, mid, high)] == pytest.approx([5, 10, 15])
    assert (mid.n, mid.method, mid.independent) == (20, "order statistics", True)
    # binomial (20, 1/2): 5 and fewer has 2.07%, so the 6th and the 15th value
    assert (255 * mid.low, 255 * mid.high) == pytest.approx((6, 15))
    assert high.high == 1.0  # on a case of which only "above the maximum" is known
    assert mid.params["epsilon"] == MOST


def test_where_more_than_half_were_not_fooled_there_is_a_reason_and_no_median() -> None:
    found = found_for(smallest({i: (i + 1) / 255 for i in range(9)}))
    mid = one(found, "smallest_epsilon", stress="smallest_epsilon")
    assert mid.value is None
    assert mid.reason == "above the maximum of 16/255: fewer than 50% were fooled"
    assert one(found, "smallest_epsilon_lower_quartile").value == pytest.approx(5 / 255)


def test_what_the_engine_did_not_confirm_counts_as_not_fooled() -> None:
    run = smallest({i: (i + 1) / 255 for i in range(15)})
    denied = replace(run.rows, success=np.where(run.rows.case < 10, 0, run.rows.success))
    found = found_for(replace(run, rows=denied))
    assert one(found, "smallest_epsilon").value is None
    assert one(found, "smallest_epsilon_lower_quartile").value == pytest.approx(15 / 255)


def test_with_several_images_of_a_patient_the_patients_are_resampled() -> None:
    run = smallest({i: (i // 2 + 1) / 255 for i in range(20)})
    patients = [f"p{i // 2}" for i in range(22)]
    found = one(found_for(run, patients), "smallest_epsilon")
    assert (found.method, found.independent) == ("patient bootstrap", False)
    apart = one(found_for(run), "smallest_epsilon")
    assert apart.high - apart.low < found.high - found.low  # each value twice: half the evidence
    assert 255 * found.value == pytest.approx(5)


def test_the_resampled_limits_are_those_of_scipy_for_patients_of_one_image() -> None:
    values = np.random.default_rng(3).exponential(size=60)
    mine = resampled_limits(values, 0.5, resample(np.arange(60), None, 4000, 0))
    theirs = bootstrap(
        (values,),
        lambda v, axis: np.quantile(v, 0.5, axis=axis, method="inverted_cdf"),
        n_resamples=4000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    spread = theirs.high - theirs.low
    assert mine == pytest.approx((theirs.low, theirs.high), abs=0.15 * spread)


@pytest.mark.parametrize(("n", "part"), [(10, 0.5), (25, 0.25), (60, 0.75), (200, 0.5)])
def test_the_limits_cover_as_often_as_they_say(n: int, part: float) -> None:
    low, high = order_limits(np.arange(1.0, n + 1), part)  # ranks
    below = 0 if np.isinf(low) else int(low)
    above = n + 1 if np.isinf(high) else int(high)
    inside = sum(binom.pmf(k, n, part) for k in range(below, above))
    assert inside >= 0.95
    assert sum(binom.pmf(k, n, part) for k in range(below + 1, above - 1)) < 0.95


def test_a_quantile_is_a_value_that_was_seen() -> None:
    values = np.array([3.0, 1.0, np.inf, 2.0])
    assert [quantile(values, p) for p in (0.25, 0.5, 0.75)] == [1, 2, 3]
    assert quantile(values, 0.8) == np.inf


def test_queries_to_success_are_the_median_of_the_fooled_at_each_radius() -> None:
    fooled = set(range(11))
    run = attack(TARGETS, CALLED, fooled, "square", params={"queries": 100, "epsilons": [2 / 255]})
    spent = np.where(np.isin(run.rows.case, list(fooled)), 3 * run.rows.case + 1, 100)
    found = found_for(replace(run, rows=replace(run.rows, queries=spent)))
    median = one(found, "queries_to_success")
    assert (median.value, median.n) == (16.0, 11)  # 1, 4, … 31: the sixth
    # binomial (11, 1/2): 1 and fewer has 0.6%, 2 and fewer 3.3%: the 2nd and the 10th
    assert (median.low, median.high) == (4.0, 28.0)
    assert median.params == {"queries": 100, "epsilon": 2 / 255}


def test_few_successes_give_a_reason_instead_of_a_median() -> None:
    run = attack(TARGETS, CALLED, {0, 1, 2}, "square", params={"queries": 100})
    spent = np.full(len(run.rows), 5)
    found = found_for(replace(run, rows=replace(run.rows, queries=spent)))
    median = one(found, "queries_to_success")
    assert (median.value, median.n) == (None, 3)
    assert median.reason == "fewer than 10 cases that were fooled"


def test_attacks_without_a_query_budget_have_no_such_number() -> None:
    found = found_for(attack(TARGETS, CALLED, {0, 1}, "pgd"))
    assert not [f for f in found if f.metric in ("queries_to_success", "smallest_epsilon")]

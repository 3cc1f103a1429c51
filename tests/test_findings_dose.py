"""Dose and response: the first detectable loss and the change per step, counted on paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from audit.evidence import RunEvidence
from audit.findings import derive
from audit.results import Finding
from tests.tables import attack, evidence, one, rows, says, table

N = 100
TARGETS = [1] * 40 + [0] * 60
NEW = ("first_loss", "change_per_step")


def corruption(
    lost: Sequence[int], name: str = "kept", levels: Sequence[float] = (0.8, 0.6, 0.4), **more
) -> RunEvidence:
    """At each level so many of the first cases are decided wrongly."""
    called = [[1 - t if i < k else t for i, t in enumerate(TARGETS)] for k in lost]
    places = sorted(range(len(lost)), key=lambda i: levels[i])  # a table has no order of its own
    part = rows(
        list(range(N)) * len(lost),
        np.concatenate([says(called[i]) for i in places]),
        [{name: levels[i]} for i in places],
        [level for level in range(len(lost)) for _ in range(N)],
    )
    params = {f"{name}s": list(levels)}
    return evidence(part, range(N), "contrast_loss", kind="corruption", params=params, **more)


def bonett_price(lost: int, n: int) -> tuple[float, float]:
    """Bonett and Price 2012: one case more of each kind, then Wald."""
    gain, loss = 1 / (n + 2), (lost + 1) / (n + 2)
    spread = 1.959964 * np.sqrt((gain + loss - (gain - loss) ** 2) / (n + 2))
    return gain - loss - spread, gain - loss + spread


def new(found: list[Finding]) -> list[Finding]:
    return [f for f in found if f.metric in NEW]


def test_the_first_loss_is_at_the_mildest_level_whose_interval_lies_below_nothing() -> None:
    assert bonett_price(5, N)[1] > 0 > bonett_price(6, N)[1]  # so six cases are the first
    found = derive(table(TARGETS, TARGETS, corruption([5, 6, 30])), None, 0)
    first = one(found, "first_loss")
    assert first.params == {"kept": 0.6}
    assert first.value == pytest.approx(-0.06)
    assert (first.low, first.high) == pytest.approx(bonett_price(6, N), abs=1e-5)
    assert (first.n, first.contrast) == (N, "stress=clean")


def test_the_change_per_step_is_the_last_change_over_the_number_of_levels() -> None:
    found = derive(table(TARGETS, TARGETS, corruption([5, 6, 30])), None, 0)
    step = one(found, "change_per_step")
    assert step.value == pytest.approx(-0.30 / 3)
    low, high = bonett_price(30, N)
    assert (step.low, step.high) == pytest.approx((low / 3, high / 3), abs=1e-5)
    assert step.params == {"kept": 0.4}


def test_a_severity_may_rise_as_well_as_fall() -> None:
    run = corruption([5, 6, 30], levels=(0.1, 0.2, 0.3))
    found = derive(table(TARGETS, TARGETS, run), None, 0)
    assert one(found, "first_loss").params == {"kept": 0.2}
    assert one(found, "change_per_step").params == {"kept": 0.3}


def test_where_no_level_shows_a_loss_it_is_said_up_to_where_that_holds() -> None:
    found = derive(table(TARGETS, TARGETS, corruption([0, 2, 5])), None, 0)
    first = one(found, "first_loss")
    assert first.value is None
    assert first.reason == "no loss of accuracy detected up to kept = 0.4"
    assert one(found, "change_per_step").value == pytest.approx(-0.05 / 3)


def test_a_gain_is_no_loss() -> None:
    called = [1 - t if i < 30 else t for i, t in enumerate(TARGETS)]
    found = derive(table(TARGETS, called, corruption([20, 10, 0])), None, 0)
    assert one(found, "first_loss").value is None
    assert one(found, "change_per_step").value == pytest.approx(0.30 / 3)


@pytest.mark.parametrize(
    "run",
    [
        corruption([5, 30], levels=(0.8, 0.6)),
        corruption([5, 30, 10], levels=(0.8, 0.4, 0.6)),
        corruption([5, 6, 30], levels=("mild", "more", "gross")),
        corruption([5, 6, 30], levels=(0.8, 0.8, 0.6)),
        attack(TARGETS, TARGETS, set(range(20)), epsilon=0.5),
    ],
    ids=["two levels", "no order", "no numbers", "one twice", "one radius"],
)
def test_without_three_levels_of_one_ordered_number_nothing_is_said(run) -> None:
    assert new(derive(table(TARGETS, TARGETS, run), None, 0)) == []


def sweep(epsilons: Sequence[float], fooled: Sequence[int], cases: Sequence[int]) -> RunEvidence:
    """An attack on some of the cases; at each ε so many of the first are fooled."""
    flags = [int(i < k) for k in fooled for i in range(len(cases))]
    called = [
        1 - TARGETS[i] if place < k else TARGETS[i] for k in fooled for place, i in enumerate(cases)
    ]
    variant = [level for level in range(len(fooled)) for _ in cases]
    levels = [{"epsilon": e} for e in epsilons]
    part = rows(list(cases) * len(fooled), says(called), levels, variant, flags, flags)
    return evidence(part, cases, "pgd", norm="linf", params={"steps": 10})


def test_radii_are_ordered_by_size_and_compared_on_the_cases_attacked() -> None:
    cases = list(range(20, 60))
    run = sweep((8 / 255, 1 / 255, 4 / 255), (40, 0, 20), cases)
    found = derive(table(TARGETS, TARGETS, run), None, 0)
    first, step = one(found, "first_loss"), one(found, "change_per_step")
    assert first.params == {"steps": 10, "epsilon": 4 / 255}
    assert (first.value, first.n) == (pytest.approx(-20 / 40), 40)
    assert step.params == {"steps": 10, "epsilon": 8 / 255}
    assert step.value == pytest.approx(-1 / 3)


def test_a_run_that_failed_says_nothing_more_than_its_own_reason() -> None:
    run = corruption([5, 6, 30], state="failed", reason="broken")
    assert new(derive(table(TARGETS, TARGETS, run), None, 0)) == []

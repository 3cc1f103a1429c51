"""Calibration as findings: which views and groups, who is left out, and how patients count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import beta, binomtest

from audit.decision import Decision
from audit.evidence import Predictions, Subject
from audit.findings import derive
from audit.findings.calibration import METRICS
from audit.metrics.calibration import observed_expected, one_group
from audit.results import Finding
from tests.tables import attack, evidence, one, rows

ODDS = np.random.default_rng(0).normal(-1, 2, 300)
TRUTH = np.random.default_rng(1).random(300) < expit(ODDS)
VIEWS = ["lateral" if i % 3 == 0 else "frontal" for i in range(300)]


def logits_of(odds: np.ndarray) -> np.ndarray:
    return np.stack([np.zeros_like(odds), odds], axis=1)


def table(
    odds: np.ndarray = ODDS,
    truth: np.ndarray = TRUTH,
    per: int = 1,
    views: list[str] = VIEWS,
    **more: object,
) -> Predictions:
    """A clean run with these log-odds; patients of `per` images in a row."""
    subjects = tuple(
        Subject(f"c{i:04d}", int(y), f"P{i // per}", {"view": views[i]})
        for i, y in enumerate(truth)
    )
    clean = evidence(rows(range(len(odds)), logits_of(odds)), range(len(odds)), **more)
    return Predictions(subjects, ("normal", "fracture"), Decision(1), (clean,))


def found_in(predictions: Predictions) -> list[Finding]:
    return [f for f in derive(predictions, ["view"], 0) if f.metric in (*METRICS, "reliability")]


def test_every_group_has_every_number_and_they_are_those_of_its_cases_alone() -> None:
    found = found_in(table())
    for group in ({}, {"view": "frontal"}, {"view": "lateral"}):
        inside = np.array([not group or group["view"] == view for view in VIEWS])
        y, x = TRUTH[inside].astype(float), ODDS[inside]
        model = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
        hit = one(found, "calibration_slope", group=group)
        assert hit.value == pytest.approx(model.params[1], rel=1e-5)
        assert hit.low < hit.value < hit.high
        assert hit.n == inside.sum()
        assert not hit.independent
        hit = one(found, "observed_expected", group=group)
        assert hit.value == pytest.approx(y.sum() / expit(x).sum(), rel=1e-5)
        for metric in METRICS:
            assert one(found, metric, group=group).value is not None


def test_patients_that_repeat_are_the_unit_and_the_method_says_so() -> None:
    hit = one(found_in(table(per=3)), "observed_expected", group={})
    patients = np.arange(300) // 3
    low, high = observed_expected(one_group(ODDS, TRUTH, patients)).limits()
    # the logits were stored in float32
    assert (hit.low, hit.high) == pytest.approx((low[0], high[0]), rel=1e-5)
    assert hit.method == "linearisation, log scale, by patient"
    alone = one(found_in(table(per=1)), "observed_expected", group={})
    assert alone.method == "linearisation, log scale"
    assert hit.low != alone.low


def test_reliability_counts_positives_in_bins_of_as_many_cases_each() -> None:
    bins = [f for f in found_in(table()) if f.metric == "reliability"]
    assert len(bins) == 15
    order = np.argsort(ODDS)
    for place, found in enumerate(bins):
        mine = order[20 * place : 20 * place + 20]
        assert (found.events, found.n) == (TRUTH[mine].sum(), 20)
        assert found.params["bin"] == place + 1
        assert found.params["bins"] == 15
        assert found.params["mean_score"] == pytest.approx(expit(ODDS[mine]).mean(), abs=1e-5)
        exact = binomtest(int(found.events), 20).proportion_ci(method="exact")
        assert (found.low, found.high) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_reliability_of_patients_with_several_images_in_a_bin_is_not_surer_than_patients() -> None:
    same = np.repeat(ODDS[::3], 3)  # three images of a patient, one score
    bins = [f for f in found_in(table(odds=same, per=3)) if f.metric == "reliability"]
    assert {f.method for f in bins} == {"Clopper-Pearson on patients"}
    hit = bins[7]
    trials = hit.n / 3
    events = hit.events / 3  # as many trials as patients
    assert hit.low == pytest.approx(beta.ppf(0.025, events, trials - events + 1))
    assert hit.high == pytest.approx(beta.ppf(0.975, events + 1, trials - events))


def test_outputs_that_are_not_finite_are_left_out_but_wrong_in_full_in_the_brier_score() -> None:
    odds = ODDS.copy()
    odds[:30] = np.nan
    found = found_in(table(odds))
    kept = slice(30, None)
    assert one(found, "calibration_slope", group={}).n == 270
    hit = one(found, "observed_expected", group={})
    assert hit.value == pytest.approx(TRUTH[kept].sum() / expit(ODDS[kept]).sum(), rel=1e-5)
    hit = one(found, "brier", group={})
    by_hand = (30 + ((expit(ODDS[kept]) - TRUTH[kept]) ** 2).sum()) / 300
    assert hit.value == pytest.approx(by_hand, rel=1e-5)
    assert hit.n == 300
    assert sum(f.n for f in found if f.metric == "reliability") == 270


def test_no_number_without_ten_of_each_outcome_but_the_reason_and_the_count() -> None:
    views = ["rare" if i in {*np.flatnonzero(TRUTH)[:9], 0, 1, 2} else "usual" for i in range(300)]
    found = found_in(table(views=views))
    for metric in METRICS:
        hit = one(found, metric, group={"view": "rare"})
        assert (hit.value, hit.low) == (None, None)
        assert hit.reason == "fewer than 10 positives"
        assert hit.n == views.count("rare")
        assert one(found, metric, group={"view": "usual"}).value is not None


def test_a_slope_that_cannot_be_and_an_expectation_too_small_have_reasons() -> None:
    found = found_in(table(odds=np.where(TRUTH, 3.0, -3.0) + ODDS / 100))
    hit = one(found, "calibration_slope", group={})
    assert hit.value is None
    assert "do not overlap" in str(hit.reason)
    assert one(found, "calibration_intercept", group={}).value is not None
    hit = one(found_in(table(odds=np.zeros(300))), "calibration_slope", group={})
    assert hit.reason == "all scores are alike"
    hit = one(found_in(table(odds=ODDS - 9)), "observed_expected", group={})
    assert "positives expected" in str(hit.reason)


def test_probabilities_that_float32_rounds_to_one_still_count_by_their_log_odds() -> None:
    steep = ODDS * 40
    hit = one(found_in(table(odds=steep)), "calibration_slope", group={})
    model = sm.GLM(TRUTH.astype(float), sm.add_constant(ODDS), family=sm.families.Binomial()).fit()
    assert hit.value == pytest.approx(model.params[1] / 40, rel=1e-4)


def test_every_level_of_a_stress_has_its_own_and_what_has_no_one_score_has_none() -> None:
    plain = table()
    called = [int(odds > 0) for odds in ODDS]
    targets = [int(y) for y in TRUTH]
    right = [i for i in range(300) if called[i] == targets[i]]
    hit = attack(targets, called, set(right[:40]))
    found = found_in(replace(plain, runs=(*plain.runs, hit)))
    under = one(found, "calibration_slope", group={}, stress="fgsm")
    assert under.params == {"epsilon": 2 / 255}
    assert under.value < one(found, "calibration_slope", group={}, stress="clean").value
    assert len([f for f in found if f.metric == "reliability" and f.stress == "fgsm"]) > 1
    assert not [f for f in found if f.stress == "worst_case"]


def test_a_defence_that_only_refers_does_not_say_the_same_again() -> None:
    plain = table()
    filtered = replace(
        plain.runs[0], run=plain.runs[0].run.model_copy(update={"defence": "referral"})
    )
    found = found_in(replace(plain, runs=(*plain.runs, filtered)))
    assert {f.defence for f in found} == {"none"}

"""Clean findings: every number against a count made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score, roc_auc_score

from audit.decision import Decision
from audit.errors import HipauditError
from audit.evidence import Predictions, Subject
from audit.findings import derive
from tests.tables import evidence, one, rows, says, table

TARGETS = [1] * 20 + [0] * 30
CALLED = [1] * 15 + [0] * 5 + [0] * 24 + [1] * 6
FRONT = [{"view": "frontal"}] * 10 + [{"view": "lateral"}] * 10
VIEWS = FRONT + [{"view": "frontal"}] * 25 + [{"view": "lateral"}] * 5


def test_clean_rates_equal_the_hand_count_with_exact_binomial_limits() -> None:
    found = derive(table(TARGETS, CALLED), None, 0)
    expected = {
        "accuracy": (39, 50),
        "sensitivity": (15, 20),
        "specificity": (24, 30),
        "precision": (15, 21),
    }
    for metric, (events, n) in expected.items():
        hit = one(found, metric)
        limits = binomtest(events, n).proportion_ci(method="exact")
        assert (hit.events, hit.n, hit.value) == (events, n, pytest.approx(events / n))
        assert (hit.low, hit.high) == (pytest.approx(limits.low), pytest.approx(limits.high))
        assert (hit.method, hit.reason, hit.stress) == ("Clopper-Pearson", None, "clean")


def test_f1_is_scikit_learns_and_its_limits_hold_the_resampled_ones() -> None:
    hit = one(derive(table(TARGETS, CALLED), None, 0), "f1")
    truth, called = np.array(TARGETS), np.array(CALLED)
    assert hit.value == pytest.approx(f1_score(truth, called))
    rng = np.random.default_rng(0)
    picks = rng.integers(0, 50, (4000, 50))
    hit_at, either = (truth & called)[picks].sum(1), (truth | called)[picks].sum(1)
    draws = 2 * hit_at / (hit_at + either)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert (hit.low, hit.high) == (pytest.approx(low, abs=0.06), pytest.approx(high, abs=0.06))
    assert hit.high - hit.low >= high - low


def test_auroc_ranks_log_odds_that_probabilities_could_not_tell_apart() -> None:
    targets = [0] * 10 + [1] * 10
    gaps = np.r_[np.linspace(60, 90, 10), np.linspace(75, 120, 10)]
    clean = evidence(rows(range(20), np.stack([-gaps / 2, gaps / 2], axis=1)), range(20))
    subjects = tuple(Subject(f"c{i}", t, None, {}) for i, t in enumerate(targets))
    found = derive(Predictions(subjects, ("normal", "fracture"), Decision(1), (clean,)), None, 0)
    hit = one(found, "auroc")
    assert hit.value == pytest.approx(roc_auc_score(targets, gaps))
    assert (hit.method, hit.n, hit.events) == ("DeLong", 20, None)


def test_a_view_with_fewer_than_ten_negatives_gets_a_reason_and_no_specificity() -> None:
    found = derive(table(TARGETS, CALLED, attributes=VIEWS), None, 0)
    hit = one(found, "specificity", group={"view": "lateral"}, contrast=None)
    assert (hit.value, hit.low, hit.high, hit.method) == (None, None, None, None)
    assert (hit.reason, hit.n) == ("fewer than 10 negatives", 5)
    assert one(found, "auroc", group={"view": "lateral"}, contrast=None).reason == hit.reason
    seen = one(found, "sensitivity", group={"view": "lateral"}, contrast=None)
    assert (seen.events, seen.n, seen.value) == (5, 10, 0.5)


def test_precision_needs_ten_calls_and_f1_ten_positives() -> None:
    called = [1] * 9 + [0] * 41
    found = derive(table(TARGETS, called), None, 0)
    assert one(found, "precision").reason == "fewer than 10 cases called positive"
    assert one(found, "f1").value == pytest.approx(f1_score(TARGETS, called))


def test_limits_more_than_twenty_points_apart_are_marked_imprecise() -> None:
    small = one(derive(table(TARGETS, CALLED), None, 0), "accuracy")
    limits = binomtest(39, 50).proportion_ci(method="exact")
    assert 0.2 < limits.high - limits.low < 0.25
    assert small.imprecise
    large = one(derive(table([0, 1] * 50, [0, 1] * 45 + [1, 0] * 5), None, 0), "accuracy")
    limits = binomtest(90, 100).proportion_ci(method="exact")
    assert 0.1 < limits.high - limits.low < 0.2
    assert not large.imprecise


def test_attributes_with_one_or_too_many_values_are_left_out_and_view_comes_first() -> None:
    attributes = [
        {"age": str(i % 3), "view": "ab"[i % 2], "id": str(i), "same": "x"} for i in range(50)
    ]
    found = derive(table(TARGETS, CALLED, attributes=attributes), None, 0)
    order = list(dict.fromkeys(next(iter(f.group)) for f in found if f.group))
    assert order == ["view", "age"]
    asked = derive(table(TARGETS, CALLED, attributes=attributes), ["age"], 0)
    assert {next(iter(f.group)) for f in asked if f.group} == {"age"}


def test_a_case_without_a_value_belongs_to_no_group() -> None:
    attributes = [{"sex": "F"}] * 15 + [{}] * 5 + [{"sex": "M"}] * 20 + [{"sex": ""}] * 10
    found = derive(table(TARGETS, CALLED, attributes=attributes), None, 0)
    sizes = {f.group["sex"]: f.n for f in found if f.metric == "accuracy" and f.group}
    assert sizes == {"F": 15, "M": 20}


def test_a_subgroup_that_no_case_has_is_an_error_that_names_a_near_one() -> None:
    with pytest.raises(HipauditError, match='Did you mean "view"'):
        derive(table(TARGETS, CALLED, attributes=VIEWS), ["vew"], 0)


def test_an_output_that_is_not_finite_is_wrong_ranked_last_and_counted() -> None:
    logits = says(CALLED)
    logits[0], logits[20] = (np.nan, 1.0), (1.0, np.inf)
    clean = evidence(rows(range(50), logits), range(50))
    whole = table(TARGETS, CALLED)
    found = derive(Predictions(whole.subjects, whole.classes, whole.decision, (clean,)), None, 0)
    assert one(found, "sensitivity").events == 14
    assert one(found, "specificity").events == 23
    said = one(found, "not_finite")
    assert (said.events, said.n, said.value) == (2, 50, None)
    assert said.reason == "2 cases have no finite output and count as wrong"
    score = np.array([-99.0] + [1.0] * 14 + [-1.0] * 5 + [99.0] + [-1.0] * 23 + [1.0] * 6)
    assert one(found, "auroc").value == pytest.approx(roc_auc_score(TARGETS, score))


def test_with_three_classes_accuracy_is_exact_and_sensitivity_is_positive_against_the_rest() -> (
    None
):
    targets = [0] * 12 + [1] * 12 + [2] * 12
    called = [0] * 6 + [1] * 6 + [1] * 9 + [2] * 3 + [2] * 10 + [0] * 2
    clean = evidence(rows(range(36), np.eye(3)[called] * 5), range(36))
    subjects = tuple(Subject(f"c{i:02d}", t, None, {}) for i, t in enumerate(targets))
    whole = Predictions(subjects, ("normal", "implant", "fracture"), Decision(2), (clean,))
    found = derive(whole, None, 0)
    assert (one(found, "accuracy").events, one(found, "accuracy").n) == (25, 36)
    assert (one(found, "sensitivity").events, one(found, "sensitivity").n) == (10, 12)
    assert (one(found, "specificity").events, one(found, "specificity").n) == (21, 24)


def test_the_threshold_of_the_model_decides_and_not_one_half() -> None:
    log_odds = np.linspace(-3, 3, 40)
    targets = [int(x > -1.5) for x in log_odds]
    clean = evidence(rows(range(40), np.stack([0 * log_odds, log_odds], axis=1)), range(40))
    subjects = tuple(Subject(f"c{i:02d}", t, None, {}) for i, t in enumerate(targets))
    rule = Decision(1, threshold=1 / (1 + np.exp(1.5)))
    found = derive(Predictions(subjects, ("normal", "fracture"), rule, (clean,)), None, 0)
    assert one(found, "sensitivity").value == one(found, "accuracy").value == 1.0


def test_cases_handed_to_a_human_are_reported_only_when_there_are_any() -> None:
    part = rows(range(50), says(CALLED))
    assert not [f for f in derive(table(TARGETS, CALLED), None, 0) if f.metric == "referral_rate"]
    part.referred[:7] = True
    whole = table(TARGETS, CALLED)
    clean = evidence(part, range(50))
    found = derive(Predictions(whole.subjects, whole.classes, whole.decision, (clean,)), None, 0)
    assert (one(found, "referral_rate").events, one(found, "referral_rate").n) == (7, 50)

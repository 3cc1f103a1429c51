"""What is handled alone, and above a cut-off: every number against a count made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from audit.decision import Decision
from audit.evidence import Predictions, Rows, Subject
from audit.findings import derive
from audit.findings.cutoffs import CUT_OFFS
from audit.results import Finding
from tests.tables import attack, evidence, one, rows, says, table

TARGETS = [1] * 40 + [0] * 60
CALLED = [1] * 30 + [0] * 10 + [0] * 54 + [1] * 6
# Handed over: 5 fractures called right, 6 missed; 10 normals called right, 4 called wrong.
REFERRED = {*range(5), *range(30, 36), *range(40, 50), *range(94, 98)}


def referred(part: Rows, those: set[int]) -> Rows:
    return replace(part, referred=np.isin(part.case, sorted(those)))


def referring(*more, patients=None, defence="none") -> Predictions:
    whole = table(TARGETS, CALLED, patients=patients)
    clean = evidence(
        referred(rows(range(100), says(CALLED)), REFERRED), range(100), defence=defence
    )
    runs = (clean,) if defence == "none" else (*whole.runs, clean)
    return replace(whole, runs=(*runs, *more))


def counts(found: list[Finding], **where: object) -> dict[str, tuple[int | None, int]]:
    hits = [
        f
        for f in found
        if f.contrast is None and all(getattr(f, name) == value for name, value in where.items())
    ]
    return {f.metric: (f.events, f.n) for f in hits if "cutoff" not in f.params}


def test_rates_of_what_is_handled_alone_equal_the_hand_count() -> None:
    said = counts(derive(referring(), None, 0), stress="clean")
    assert said["referral_rate"] == (25, 100)
    assert said["accuracy_handled"] == (69, 75)  # 25 + 44 of 29 + 46
    assert said["sensitivity_handled"] == (25, 29)
    assert said["specificity_handled"] == (44, 46)
    assert said["missed_handled"] == (4, 75)
    assert said["missed_of_positives"] == (4, 40)
    assert said["unseen_error_rate"] == (6, 100)
    assert said["accuracy"] == (84, 100)  # every case counts by its decision


def test_missed_fractures_have_the_upper_limit_of_a_one_sided_exact_interval() -> None:
    hit = one(derive(referring(), None, 0), "missed_handled")
    exact = binomtest(4, 75, alternative="less").proportion_ci(0.95, method="exact")
    assert (hit.low, hit.high) == (0.0, pytest.approx(exact.high))
    assert hit.method == "Clopper-Pearson, one-sided"
    two_sided = one(derive(referring(), None, 0), "accuracy_handled")
    exact = binomtest(69, 75).proportion_ci(0.95, method="exact")
    assert (two_sided.low, two_sided.high) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_nothing_is_said_of_referral_where_nobody_is_referred() -> None:
    found = derive(table(TARGETS, CALLED), None, 0)
    assert not {f.metric for f in found} & {
        "referral_rate", "accuracy_handled", "missed_handled", "unseen_error_rate",
    }  # fmt: skip


def test_a_defence_that_only_refers_speaks_even_where_it_referred_nobody() -> None:
    whole = table(TARGETS, CALLED)
    nobody = evidence(rows(range(100), says(CALLED)), range(100), defence="referral")
    found = derive(replace(whole, runs=(*whole.runs, nobody)), None, 0)
    assert counts(found, defence="referral")["referral_rate"] == (0, 100)
    assert counts(found, defence="referral")["unseen_error_rate"] == (16, 100)


def test_fewer_than_ten_cases_handled_alone_give_a_reason_and_no_rate() -> None:
    whole = table(TARGETS, CALLED)
    few = referred(rows(range(100), says(CALLED)), set(range(9, 100)))
    found = derive(replace(whole, runs=(evidence(few, range(100)),)), None, 0)
    hit = one(found, "accuracy_handled")
    assert (hit.value, hit.reason, hit.n) == (None, "fewer than 10 cases handled alone", 9)


def test_with_repeated_patients_the_bound_is_that_of_patients() -> None:
    patients = [f"P{i // 2:03d}" for i in range(100)]
    hit = one(derive(referring(patients=patients), None, 0), "missed_handled")
    # 4 of 75 images; the handled images belong to 40 patients
    held = {i // 2 for i in range(100) if i not in REFERRED}
    exact = binomtest(1, 2, alternative="less").proportion_ci(0.95, method="exact")
    assert exact.high < 1  # the witness knows one-sided limits
    assert hit.method == "Clopper-Pearson on patients, one-sided"
    assert hit.high > binomtest(4, 75, alternative="less").proportion_ci(0.95, method="exact").high
    assert len(held) < 75


def test_under_attack_an_error_is_unseen_when_it_was_fooled_and_not_referred() -> None:
    run = attack(TARGETS, CALLED, {*range(5, 15), 50, 51})
    run = replace(run, rows=referred(run.rows, {5, 6, 7, 50}))
    said = counts(derive(referring(run), None, 0), stress="fgsm")
    # fooled and unseen: 7 fractures and 1 normal; wrong without it and not referred: 6
    assert said["unseen_error_rate"] == (14, 100)
    # referred under attack: the 4 above, and the 10 wrong without it that were referred
    assert said["referral_rate"] == (14, 100)


def test_of_several_candidates_one_that_fools_unseen_is_enough() -> None:
    targets = called = [1] * 20 + [0] * 20
    wrong, right = says([0] * 20 + [1] * 20), says(called)
    both = np.concatenate([5 * wrong, wrong])
    part = rows(
        [*range(40)] * 2, both, ({"draw": 0}, {"draw": 1}), [0] * 40 + [1] * 40, [1] * 80, [1] * 80
    )
    # the first candidate is furthest off and referred everywhere; the second is seen by nobody
    seen = np.r_[np.ones(40, bool), np.zeros(40, bool)]
    part = replace(part, referred=seen)
    run = evidence(part, range(40), "rotation_translation", search_variants=True)
    whole = table(targets, called)
    clean = evidence(referred(rows(range(40), right), {0}), range(40))
    found = derive(replace(whole, runs=(clean, run)), None, 0)
    hit = one(found, "unseen_error_rate", stress="rotation_translation", variant="worst")
    assert (hit.events, hit.n) == (40, 40)


def test_the_worst_case_over_attacks_is_unseen_when_any_attack_goes_unseen() -> None:
    first = attack(TARGETS, CALLED, set(range(5, 10)), stress="fgsm")
    second = attack(TARGETS, CALLED, set(range(8, 14)), stress="pgd")
    first = replace(first, rows=referred(first.rows, {5, 6}))
    found = derive(referring(first, second), None, 0)
    hits = [f for f in found if f.metric == "unseen_error_rate" and f.stress == "worst_case"]
    # fooled unseen by either: 7, 8, …, 13; wrong without stress and not referred: 6
    assert {(f.events, f.n) for f in hits} == {(13, 100)}


def graded(gaps: np.ndarray, targets: list[int], referred_too: set[int] = frozenset()):
    """A two-class model whose log-odds of the second class are `gaps`."""
    logits = np.stack([-gaps / 2, gaps / 2], axis=1)
    n = len(gaps)
    part = referred(rows(range(n), logits), set(referred_too))
    subjects = tuple(Subject(f"c{i:04d}", t, None, {}) for i, t in enumerate(targets))
    return Predictions(subjects, ("normal", "fracture"), Decision(1), (evidence(part, range(n)),))


@pytest.fixture(scope="module")
def spread() -> tuple[list[Finding], np.ndarray, np.ndarray]:
    """300 cases whose log-odds go far beyond what a float32 probability can tell apart."""
    rng = np.random.default_rng(4)
    gaps = rng.normal(0, 12, 300).astype(np.float32).astype(float)
    truth = (gaps + rng.normal(0, 6, 300) > 0).astype(int)
    return derive(graded(gaps, truth.tolist()), None, 0), gaps, truth


@pytest.mark.parametrize("cutoff", CUT_OFFS)
def test_above_each_cut_off_the_counts_are_those_of_plain_probabilities(spread, cutoff) -> None:
    found, gaps, truth = spread
    sure = 1 / (1 + np.exp(-np.abs(gaps)))  # float64 holds these
    above, called = sure >= cutoff, gaps > 0
    expected = {
        "handled_above": (above.sum(), 300),
        "accuracy_above": ((above & (called == truth)).sum(), above.sum()),
        "sensitivity_above": ((above & called & (truth == 1)).sum(), (above & (truth == 1)).sum()),
        "missed_above": ((above & ~called & (truth == 1)).sum(), above.sum()),
        "missed_of_positives_above": ((above & ~called & (truth == 1)).sum(), truth.sum()),
        "unseen_error_above": ((above & (called != truth)).sum(), 300),
    }
    for metric, (events, n) in expected.items():
        hit = one(found, metric, params={"cutoff": cutoff})
        assert (hit.events, hit.n) == (events, n), metric


def test_cases_a_probability_of_one_could_not_tell_apart_are_told_apart_by_log_odds() -> None:
    gaps = np.r_[np.full(50, 40.0), np.full(50, 120.0)]  # both are 1.0 in float32, 40 even in 64
    targets = [0] * 50 + [1] * 50  # the less sure half is all wrong
    found = derive(graded(gaps, targets), None, 0)
    risks = {f.params["coverage"]: (f.events, f.n) for f in found if f.metric == "selective_risk"}
    assert risks[0.5] == (0, 50)
    assert risks[1.0] == (50, 100)


def test_none_missed_in_597_is_not_below_half_a_per_cent_and_none_in_598_is() -> None:
    for handled, enough in ((597, False), (598, True)):
        targets = [1] * 20 + [0] * (handled - 20)
        gaps = np.where(np.array(targets) == 1, 9.0, -9.0)
        hit = one(derive(graded(gaps, targets), None, 0), "missed_above", params={"cutoff": 0.995})
        assert (hit.events, hit.n) == (0, handled)
        assert (hit.high < 0.005) == enough


def test_a_case_that_was_referred_is_not_above_any_cut_off() -> None:
    gaps = np.full(60, 30.0)
    found = derive(graded(gaps, [1] * 40 + [0] * 20, set(range(15))), None, 0)
    hit = one(found, "handled_above", params={"cutoff": 0.995})
    assert (hit.events, hit.n) == (45, 60)


def test_an_output_that_is_not_finite_is_above_no_cut_off() -> None:
    gaps = np.full(60, 30.0)
    gaps[:7] = np.nan
    found = derive(graded(gaps, [1] * 40 + [0] * 20), None, 0)
    assert one(found, "handled_above", params={"cutoff": 0.5}).events == 53


def test_errors_above_the_cut_off_under_attack_are_counted_with_their_confidence() -> None:
    targets = [1] * 30 + [0] * 30
    gaps = np.where(np.array(targets) == 1, 8.0, -8.0)
    turned = gaps.copy()
    turned[:10] = -7.0  # fooled and sure
    turned[10:15] = -3.0  # fooled and unsure: p = 0.953
    part = rows(
        range(60), np.stack([-turned / 2, turned / 2], axis=1), ({"epsilon": 0.01},), None,
        [1] * 15 + [0] * 45, [1] * 15 + [0] * 45,
    )  # fmt: skip
    whole = graded(gaps, targets)
    run = evidence(part, range(60), "fgsm", norm="linf", params={"epsilons": [0.01]})
    found = derive(replace(whole, runs=(*whole.runs, run)), None, 0)
    told = {
        (f.metric, f.params["cutoff"]): (f.events, f.n)
        for f in found
        if f.stress == "fgsm" and "cutoff" in f.params
    }
    # p of the decided class: 0.9991 for the sure, 0.953 for the unsure, 0.99966 for the others
    wrong = {0.5: 15, 0.8: 15, 0.9: 15, 0.95: 15, 0.99: 10, 0.995: 10, 0.999: 10}
    for cutoff, count in wrong.items():
        above = 45 + count
        assert told["unseen_error_above", cutoff] == (count, 60)
        assert told["handled_above", cutoff] == (above, 60)
        assert told["missed_above", cutoff] == (count, above)
        assert told["missed_of_positives_above", cutoff] == (count, 30)
    risks = [f for f in found if f.metric == "selective_risk" and f.stress == "fgsm"]
    (whole_set,) = [f for f in risks if f.params["coverage"] == 1.0]
    assert (whole_set.events, whole_set.n) == (15, 60)
    (half,) = [f for f in risks if f.params["coverage"] == 0.5]
    assert (half.events, half.n) == (0, 45)  # the 45 that were left alone are equally sure
    assert all(f.params["epsilon"] == 0.01 for f in risks)


def test_groups_are_told_at_the_cut_off_of_the_study_only() -> None:
    views = [{"view": "frontal"}] * 50 + [{"view": "lateral"}] * 50
    found = derive(table([1, 0] * 50, [1, 0] * 50, attributes=views), None, 0)
    told = {(f.group.get("view"), f.params["cutoff"]) for f in found if f.metric == "handled_above"}
    assert told == {(None, c) for c in CUT_OFFS} | {("frontal", 0.995), ("lateral", 0.995)}


def test_a_defence_that_changes_no_decision_has_one_paired_difference_and_no_zeros() -> None:
    run = attack(TARGETS, CALLED, {*range(5, 15)})
    hidden = attack(TARGETS, CALLED, {*range(5, 15)}, defence="quality-filter")
    hidden = replace(hidden, rows=referred(hidden.rows, {5, 6, 7}))
    found = derive(referring(run, hidden, defence="quality-filter"), None, 0)
    told = [f for f in found if f.contrast == "defence=none"]
    assert {f.metric for f in told} == {"unseen_error_rate"}
    clean = next(f for f in told if f.stress == "clean")
    assert clean.value == pytest.approx((6 - 16) / 100)  # of 16 errors 10 are handed over
    attacked = next(f for f in told if f.stress == "fgsm")
    # wrong without it 16, of them referred 10 by the filter; fooled 10, of them referred 3
    assert attacked.value == pytest.approx(-13 / 100)
    assert clean.high < 0


def test_by_group_a_defence_that_only_refers_says_nothing_that_stands_without_it() -> None:
    views = [{"view": "ab"[i % 2]} for i in range(100)]
    whole = table(TARGETS, CALLED, attributes=views)
    clean = evidence(
        referred(rows(range(100), says(CALLED)), REFERRED), range(100), defence="referral"
    )
    found = derive(replace(whole, runs=(*whole.runs, clean)), None, 0)
    told = {f.metric for f in found if f.defence == "referral" and f.group}
    assert {"referral_rate", "unseen_error_rate", "accuracy_handled"} <= told
    assert not told & {"accuracy", "sensitivity", "specificity", "auroc", "f1"}
    # for everyone they stay, so that a table of a defence has its row
    assert one(found, "accuracy", defence="referral").events == 84
    assert {f.metric for f in found if f.defence == "none" and f.group} >= {"accuracy", "auroc"}

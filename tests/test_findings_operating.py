"""Likelihood ratios, predictive values, fixed points, decision curve and harm of an audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import confint_proportions_2indep

from audit.findings import derive
from audit.findings.decision_curve import THRESHOLDS
from audit.gate.judge import judge
from audit.results import Finding
from tests.gate_audits import audit, rules
from tests.tables import attack, evidence, one, rows, says, table
from tests.test_findings_handled import referred

TARGETS = [1] * 40 + [0] * 60
CALLED = [1] * 34 + [0] * 6 + [0] * 48 + [1] * 12
FOOLED = {*range(10), *range(40, 50)}
SEXES = [{"sex": "F" if i % 2 else "M"} for i in range(100)]
EVERYONE: dict[str, str] = {}
PLUS, MINUS = "likelihood_ratio_positive", "likelihood_ratio_negative"


def limits(x: int, m: int, y: int, k: int) -> tuple[float, float]:
    found = confint_proportions_2indep(x, m, y, k, compare="ratio", method="score",
                                       correction=False)  # fmt: skip
    return float(found[0]), float(found[1])


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    run = attack(TARGETS, CALLED, FOOLED)
    return derive(table(TARGETS, CALLED, run, attributes=SEXES), None, 0, 300, (0.02, 0.18))


def test_likelihood_ratios_come_from_the_four_cells_for_everyone_and_each_group(found) -> None:
    for group, (tp, m, fp, n) in {
        "": (34, 40, 12, 60), "F": (17, 20, 6, 30), "M": (17, 20, 6, 30),
    }.items():  # fmt: skip
        where = {"stress": "clean", "group": {"sex": group} if group else {}}
        plus, minus = one(found, PLUS, **where), one(found, MINUS, **where)
        assert plus.value == pytest.approx((tp / m) / (fp / n))
        assert minus.value == pytest.approx((1 - tp / m) / (1 - fp / n))
        assert (plus.low, plus.high) == pytest.approx(limits(tp, m, fp, n))
        assert (minus.low, minus.high) == pytest.approx(limits(m - tp, m, n - fp, n))
        assert (plus.n, plus.method, plus.events) == (m + n, "Koopman", None)


def test_under_attack_they_are_those_of_the_decisions_that_stand(found) -> None:
    plus = one(found, PLUS, stress="fgsm", group={})
    assert plus.value == pytest.approx((24 / 40) / (22 / 60))
    assert (plus.low, plus.high) == pytest.approx(limits(24, 40, 22, 60))
    assert not [f for f in found if f.metric == PLUS and f.stress == "worst_case"]


@pytest.mark.parametrize("share", [0.02, 0.18])
def test_predictive_values_use_the_declared_share_and_not_that_of_the_set(found, share) -> None:
    where = {"stress": "clean", "params": {"prevalence": share}}
    ppv, npv = one(found, "ppv", **where), one(found, "npv", **where)
    sens, spec = 34 / 40, 48 / 60
    hit, alarm = share * sens, (1 - share) * (1 - spec)
    assert ppv.value == pytest.approx(hit / (hit + alarm))
    quiet, missed = (1 - share) * spec, share * (1 - sens)
    assert npv.value == pytest.approx(quiet / (quiet + missed))
    odds = share / (1 - share)
    low, high = limits(34, 40, 12, 60)
    assert ppv.low == pytest.approx(odds * low / (1 + odds * low))
    assert ppv.high == pytest.approx(odds * high / (1 + odds * high))
    low, high = limits(6, 40, 48, 60)
    assert npv.low == pytest.approx(1 / (1 + odds * high))
    assert npv.high == pytest.approx(1 / (1 + odds * low))


def test_harm_is_the_rate_scaled_with_its_own_limits(found) -> None:
    for share in (0.02, 0.18):
        missed = one(found, "missed_per_1000", stress="clean", params={"prevalence": share})
        exact = binomtest(6, 40).proportion_ci(method="exact")
        assert missed.value == pytest.approx(1000 * share * 6 / 40)
        assert (missed.low, missed.high) == pytest.approx(
            (1000 * share * exact.low, 1000 * share * exact.high)
        )
        alarms = one(found, "false_alarms_per_1000", stress="clean", params={"prevalence": share})
        exact = binomtest(12, 60).proportion_ci(method="exact")
        assert alarms.value == pytest.approx(1000 * (1 - share) * 12 / 60)
        assert alarms.high == pytest.approx(1000 * (1 - share) * exact.high)
        assert (missed.n, alarms.n, missed.method) == (40, 60, "Clopper-Pearson")


def test_under_attack_harm_counts_what_was_fooled_and_the_worst_case_what_any_attack_fooled() -> (
    None
):
    runs = (attack(TARGETS, CALLED, {*range(10)}),
            attack(TARGETS, CALLED, {*range(5, 20)}, stress="pgd"))  # fmt: skip
    found = derive(table(TARGETS, CALLED, *runs), None, 0, 300, (0.1,))
    lost = {"fgsm": 16, "pgd": 21, "worst_case": 26}
    for stress, misses in lost.items():
        hits = [f for f in found if f.metric == "missed_per_1000" and f.stress == stress]
        assert hits
        for hit in hits:
            assert hit.value == pytest.approx(100 * misses / 40)
            sens = "robust_sensitivity" if stress == "worst_case" else "sensitivity"
            params = {k: v for k, v in hit.params.items() if k != "prevalence"}
            rate = one(found, sens, stress=stress, params=params)
            assert (hit.low, hit.high) == pytest.approx(
                (100 * (1 - rate.high), 100 * (1 - rate.low))
            )


def test_without_a_declared_prevalence_nothing_depends_on_one() -> None:
    found = derive(table(TARGETS, CALLED, attack(TARGETS, CALLED, FOOLED)), None, 0, 300)
    assert not [f for f in found if "prevalence" in f.params]
    assert not {"ppv", "npv", "missed_per_1000", "false_alarms_per_1000"} & {
        f.metric for f in found
    }


def test_a_model_without_false_alarms_has_no_finite_ratio_but_a_lower_limit_and_a_ppv() -> None:
    called = [1] * 34 + [0] * 6 + [0] * 60
    found = derive(table(TARGETS, called), None, 0, 300, (0.1,))
    plus = one(found, PLUS)
    low = 1 / limits_upper_of_zero()
    assert plus.value is None
    assert plus.reason == (
        f"no negative is called positive: not finite; its lower 95% limit is {low:.3g}"
    )
    ppv = one(found, "ppv")
    assert (ppv.value, ppv.high) == (1.0, 1.0)
    assert ppv.low == pytest.approx(low / 9 / (1 + low / 9), rel=1e-6)


def limits_upper_of_zero() -> float:
    """The ratio of 0 of 60 to 34 of 40 at which Koopman's statistic is 1.96 squared."""
    low, high = 1e-6, 1.0
    for _ in range(200):
        theta = (low + high) / 2
        # Likeliest p of 34/40 under p_negative = theta·p: the root of the score equation.
        a, b, c = 100 * theta, theta * (60 + 34) + 0 + 40, 34.0
        p = (b - np.sqrt(b * b - 4 * a * c)) / (2 * a)
        q = theta * p
        chi = (60 * q) ** 2 / (60 * q * (1 - q)) + (34 - 40 * p) ** 2 / (40 * p * (1 - p))
        low, high = (theta, high) if chi < 1.959963984540054**2 else (low, theta)
    return low


@pytest.mark.parametrize(
    ("called", "missing"),
    [
        (0, {PLUS: "no case is called positive", "ppv": "no case is called positive"}),
        (1, {MINUS: "every case is called positive", "npv": "every case is called positive"}),
    ],
)
def test_a_model_of_one_answer_has_a_reason_where_nothing_can_be_said(called, missing) -> None:
    found = derive(table(TARGETS, [called] * 100), None, 0, 300, (0.1,))
    for metric, reason in missing.items():
        hit = one(found, metric)
        assert (hit.value, hit.reason) == (None, reason)
    other = one(found, MINUS if called == 0 else PLUS)
    assert other.value == 1.0
    assert other.low < 1 < other.high


def test_fewer_than_ten_of_a_class_is_a_reason_everywhere() -> None:
    targets, called = [1] * 9 + [0] * 60, [1] * 6 + [0] * 63
    found = derive(table(targets, called), None, 0, 300, (0.1,))
    for metric in (PLUS, MINUS, "ppv", "npv", "missed_per_1000", "partial_auroc", "net_benefit"):
        hits = [f for f in found if f.metric == metric]
        assert hits
        assert {(f.value, f.reason) for f in hits} == {(None, "fewer than 10 positives")}


def scored(count: int = 200, patients: int | None = None) -> tuple[list, np.ndarray, object]:
    draw = np.random.default_rng(6)
    targets = [int(i % 5 < 2) for i in range(count)]
    log_odds = draw.normal(2 * np.array(targets) - 1)
    clean = evidence(rows(range(count), np.stack([0 * log_odds, log_odds], 1)), range(count))
    who = None if patients is None else [f"P{i % patients}" for i in range(count)]
    whole = table(targets, targets, patients=who)
    return targets, log_odds.astype(np.float32).astype(float), replace(whole, runs=(clean,))


def test_fixed_points_and_partial_area_are_of_everyone_without_stress() -> None:
    targets, log_odds, whole = scored(300)
    found = derive(whole, None, 0, 300)
    area = one(found, "partial_auroc", params={"max_fpr": 0.1})
    assert area.value == pytest.approx(roc_auc_score(targets, log_odds, max_fpr=0.1), abs=1e-6)
    positive = np.array(targets) == 1
    negatives = np.sort(log_odds[~positive])[::-1]
    # 180 negatives: 9 may lie above a threshold of specificity .95, 18 above one of .90.
    for specificity, allowed in ((0.95, 9), (0.9, 18)):
        hit = one(found, "sensitivity_at_specificity", params={"specificity": specificity})
        expected = (log_odds[positive] > negatives[allowed]).mean()
        assert hit.value == pytest.approx(expected, abs=1e-6)
        assert hit.low < hit.value < hit.high
    for sensitivity in (0.9, 0.95):
        hit = one(found, "specificity_at_sensitivity", params={"sensitivity": sensitivity})
        needed = np.sort(log_odds[positive])[::-1][round(sensitivity * 120) - 1]
        assert hit.value == pytest.approx((log_odds[~positive] < needed).mean(), abs=1e-6)


def test_a_fixed_point_that_few_lie_beyond_is_not_told() -> None:
    found = derive(scored(150)[2], None, 0, 300)  # 60 positives, 90 negatives
    for metric, params, reason in (
        ("specificity_at_sensitivity", {"sensitivity": 0.95}, "positives lie beyond a sensitivity"),
        ("sensitivity_at_specificity", {"specificity": 0.95}, "negatives lie beyond a specificity"),
    ):
        assert one(found, metric, params=params).reason == f"fewer than 5 {reason} of 0.95"
    assert one(found, "specificity_at_sensitivity", params={"sensitivity": 0.9}).value is not None
    assert one(found, "partial_auroc").value is not None


def test_the_decision_curve_is_the_published_formula_at_the_set_and_at_declared_shares() -> None:
    targets, log_odds, whole = scored()
    found = derive(whole, None, 0, 300, (0.05,))
    positive, p = np.array(targets) == 1, 1 / (1 + np.exp(-log_odds))
    for at in THRESHOLDS:
        acted, rate = p >= at, at / (1 - at)
        expected = (acted & positive).mean() - rate * (acted & ~positive).mean()
        own = one(found, "net_benefit", params={"threshold": at})
        assert own.value == pytest.approx(expected)
        assert own.low < own.value < own.high
        sens, alarm = acted[positive].mean(), acted[~positive].mean()
        there = one(found, "net_benefit", params={"threshold": at, "prevalence": 0.05})
        assert there.value == pytest.approx(0.05 * sens - rate * 0.95 * alarm)
        everyone = one(found, "net_benefit_of_all", params={"threshold": at})
        exact = binomtest(80, 200).proportion_ci(method="exact")
        assert everyone.value == pytest.approx(0.4 - rate * 0.6)
        assert everyone.low == pytest.approx(exact.low - rate * (1 - exact.low))
        fixed = one(found, "net_benefit_of_all", params={"threshold": at, "prevalence": 0.05})
        assert fixed.value == fixed.low == fixed.high == pytest.approx(0.05 - rate * 0.95)


def test_an_output_that_is_not_finite_is_missed_or_a_false_alarm_at_every_threshold() -> None:
    logits = says(CALLED)
    logits[0], logits[99] = (np.nan, 1.0), (np.inf, np.inf)
    clean = evidence(rows(range(100), logits), range(100))
    found = derive(replace(table(TARGETS, CALLED), runs=(clean,)), None, 0, 300)
    # Calls are sure to .982: at .9 the same hits and false alarms as deployed.
    hit = one(found, "net_benefit", params={"threshold": 0.9})
    assert hit.value == pytest.approx(33 / 100 - 9 * 12 / 100)


def test_a_defence_that_changes_no_decision_repeats_nothing() -> None:
    whole = table(TARGETS, CALLED)
    hidden = evidence(referred(rows(range(100), says(CALLED)), {1, 2}), range(100),
                      defence="referral")  # fmt: skip
    found = derive(replace(whole, runs=(*whole.runs, hidden)), None, 0, 300, (0.1,))
    mine = {PLUS, "ppv", "missed_per_1000", "net_benefit", "partial_auroc"}
    assert {f.defence for f in found if f.metric in mine} == {"none"}


def by_patient(draws: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """A bootstrap of our own over 100 patients with two images each: LR+ and net benefit at .5."""
    targets, log_odds, _ = scored(200, 100)
    positive, draw = np.array(targets) == 1, np.random.default_rng(8)
    ill = np.flatnonzero(positive[:100])  # image i + 100 is of the same patient and label
    well = np.flatnonzero(~positive[:100])
    ratios, benefits = [], []
    for _ in range(draws):
        who = np.r_[draw.choice(ill, len(ill)), draw.choice(well, len(well))]
        called = np.r_[log_odds[who], log_odds[who + 100]] >= 0
        truth = np.r_[positive[who], positive[who + 100]]
        ratios.append(called[truth].mean() / called[~truth].mean())
        who = draw.integers(0, 100, 100)
        called = np.r_[log_odds[who], log_odds[who + 100]] >= 0
        truth = np.r_[positive[who], positive[who + 100]]
        benefits.append((called & truth).mean() - (called & ~truth).mean())
    return np.array(ratios), np.array(benefits)


def test_where_patients_repeat_limits_are_those_of_resampled_patients() -> None:
    found = derive(scored(200, 100)[2], None, 0, 2000)
    ratios, benefits = by_patient()
    benefit = one(found, "net_benefit", params={"threshold": 0.5})
    low, high = np.quantile(benefits, [0.025, 0.975])
    assert benefit.method == "patient bootstrap"
    assert (benefit.low, benefit.high) == pytest.approx((low, high), abs=0.06 * (high - low))
    plus, spread = one(found, PLUS), 1.96 * np.log(ratios).std()
    assert plus.method == "patient bootstrap, log scale"
    assert np.log(plus.high / plus.value) == pytest.approx(spread, rel=0.06)
    assert np.log(plus.value / plus.low) == pytest.approx(spread, rel=0.06)


def test_a_patient_counts_once_where_too_few_err_for_percentiles() -> None:
    """The same images five times over: limits as wide as without the copies."""
    once = derive(table(TARGETS, CALLED), None, 0, 300, (0.1,))
    five = derive(
        table(TARGETS * 5, CALLED * 5, patients=[f"P{i % 100}" for i in range(500)]),
        None, 0, 300, (0.1,),
    )  # fmt: skip
    for metric in (PLUS, MINUS, "ppv", "npv"):
        plain, copied = one(once, metric), one(five, metric)
        assert copied.method == "Koopman on patients"
        assert (copied.low, copied.high) == pytest.approx((plain.low, plain.high))


@pytest.mark.parametrize(("share", "outcome"), [(0.02, "pass"), (0.18, "fail")])
def test_a_rule_of_the_gate_reaches_one_prevalence_and_names_it(found, share, outcome) -> None:
    """15% missed: 3 of 1,000 at 2%, 27 at 18%; with limits 1.1 to 6.0, and 10.3 to 53.7."""
    whole = [f.model_copy(update={"independent": False}) for f in found]
    asked = {"metric": "missed_per_1000", "where": {"prevalence": share}, "max": 6.5}
    verdict = judge(audit(*whole), rules(asked), today=date(2026, 1, 1))
    assert verdict.outcome == outcome
    assert f"at a prevalence of {share}" in verdict.model_dump_json()


def test_every_finding_is_one_that_reading_accepts_as_it_stands(found) -> None:
    """They are made without validation: it would find no key to refuse and no type to change."""
    for finding in found:
        assert Finding.model_validate(vars(finding), strict=True) == finding

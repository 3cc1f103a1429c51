"""Rules about what is handled alone judge real findings of planted predictions."""

from __future__ import annotations

from datetime import date

import pytest

from audit.findings import derive
from audit.gate.judge import judge
from audit.gate.verdict import Verdict
from tests.gate_audits import audit, rules, run
from tests.tables import attack
from tests.test_findings_handled import CALLED, TARGETS, referring

PATIENTS = [f"P{i:03d}" for i in range(100)]


@pytest.fixture(scope="module")
def results():
    hit = attack(TARGETS, CALLED, {*range(5, 15)})
    found = derive(referring(hit, patients=PATIENTS), None, 0)
    runs = (run(), run("fgsm", params={"epsilons": [2 / 255]}))
    return audit(*found, runs=runs)


def judged(results, **rule: object) -> Verdict:
    return judge(results, rules(rule), today=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        # 6 of 100 wrong and seen by nobody: exact limits 2.2 to 12.6%
        ({"metric": "unseen_error_rate", "max": 0.15}, "pass"),
        ({"metric": "unseen_error_rate", "max": 0.10}, "fail"),
        ({"metric": "unseen_error_rate", "max": 0.02, "bound": "lower"}, "fail"),
        # 25 of 100 referred: 16.9 to 34.7%
        ({"metric": "referral_rate", "max": 0.40}, "pass"),
        ({"metric": "referral_rate", "max": 0.15}, "fail"),
        # under attack 16 of 100 are wrong unseen: 9.4 to 24.7%
        ({"metric": "unseen_error_rate", "max": 0.3, "where": {"stress": "fgsm"}}, "pass"),
        ({"metric": "unseen_error_rate", "max": 0.05, "where": {"stress": "any"}}, "fail"),
        # 4 missed of 75 handled alone: one-sided upper limit 11.8%
        ({"metric": "missed_handled", "max": 0.12}, "pass"),
        ({"metric": "missed_handled", "max": 0.11}, "fail"),
        ({"metric": "accuracy_handled", "min": 0.8}, "pass"),
        # log-odds of 4 are 0.982: above 0.95, below 0.99; of the 75 not referred
        ({"metric": "handled_above", "min": 0.6, "where": {"cutoff": 0.95}}, "pass"),
        ({"metric": "handled_above", "min": 0.6, "where": {"cutoff": 0.99}}, "fail"),
    ],
)
def test_a_rule_on_what_is_handled_alone_is_judged_by_its_limit(results, rule, outcome) -> None:
    (verdict,) = judged(results, **rule).rules
    assert verdict.outcome == outcome, verdict.reason


def test_the_words_of_a_verdict_name_the_cut_off(results) -> None:
    rule = {"metric": "missed_above", "max": 0.5, "where": {"cutoff": 0.95}}
    (verdict,) = judged(results, **rule).rules
    assert "cutoff 0.95" in verdict.text
    assert verdict.outcome == "pass"


def test_a_rule_without_a_cut_off_judges_every_one_and_is_met_by_none_without_cases(
    results,
) -> None:
    (verdict,) = judged(results, metric="accuracy_above", min=0.5).rules
    assert verdict.outcome == "inconclusive"  # nothing lies above 0.99
    assert "fewer than 10" in verdict.reason


def test_where_nothing_is_referred_a_rule_on_referral_is_inconclusive_not_met() -> None:
    from tests.tables import table

    found = derive(table(TARGETS, CALLED, patients=PATIENTS), None, 0)
    (verdict,) = judged(audit(*found), metric="referral_rate", max=0.5).rules
    assert verdict.outcome == "inconclusive"
    assert "no finding of referral_rate" in verdict.reason

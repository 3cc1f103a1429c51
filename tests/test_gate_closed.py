"""Ways in which a rule was once met by accident. Each stays closed."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from audit.gate.judge import judge
from audit.results import GateFile, Provenance
from tests.gate_audits import audit, finding, rules, run

DAY = date(2026, 6, 1)
ROBUST = {"metric": "robust_sensitivity"}
FGSM = {**ROBUST, "stress": "fgsm", "params": {"epsilon": 2 / 255}}
PGD = {**FGSM, "stress": "pgd"}
ATTACKED = (run(), run("fgsm"), run("pgd"))


def judged(results, asked, **more):
    return judge(results, rules(asked), today=DAY, **more).rules[0]


def by_view(view: str, **place: object):
    return finding(**place, group={"view": view})


@pytest.mark.parametrize("value", ["lateral", "any"])
def test_a_gap_is_not_taken_between_a_group_and_itself(value):
    asked = {"metric": "sensitivity", "gap_by": "view", "max": 1, "where": {"view": value}}
    with pytest.raises(ValidationError, match="leave it out of where"):
        rules(asked)
    with pytest.raises(ValidationError, match='not "any"'):
        rules({**asked, "where": {}, "between": ["lateral", "any"]})


@pytest.mark.parametrize("views", [("frontal", "lateral"), ("lateral", "frontal")])
def test_a_gap_that_only_one_group_has_a_number_for_does_not_go_unjudged(views):
    both = [by_view(view, **FGSM) for view in ("frontal", "lateral")]
    asked = {**ROBUST, "gap_by": "view", "between": list(views), "max": 1}
    asked["where"] = {"stress": "any"}
    assert judged(audit(*both, runs=ATTACKED), asked).outcome == "pass"
    rule = judged(audit(*both, by_view("lateral", **PGD), runs=ATTACKED), asked)
    assert rule.outcome == "inconclusive"
    assert "under pgd at 2/255 view lateral has no counterpart" in rule.reason


def test_an_attack_that_the_baseline_does_not_have_does_not_go_unjudged():
    asked = {**ROBUST, "max_drop": 0.9, "where": {"stress": "any"}}
    before = audit(finding(**FGSM), runs=ATTACKED)
    now = audit(finding(**FGSM), finding(**PGD), runs=ATTACKED)
    assert judged(before, asked, baseline=before).outcome == "pass"
    assert judged(now, asked, baseline=before).outcome == "inconclusive"
    assert judged(before, asked, baseline=now).outcome == "inconclusive"


def test_a_gain_by_a_defence_needs_the_run_without_it_too():
    gain = finding(**FGSM, defence="tta", contrast="defence=none", value=0.2, low=0.1, high=0.3)
    where = {"stress": "fgsm", "defence": "tta", "contrast": "defence=none"}
    asked = {**ROBUST, "min": 0.05, "where": where}
    runs = (run(), run(id="clean@tta", defence="tta"), run("fgsm", id="fgsm@tta", defence="tta"))
    assert judged(audit(gain, runs=(*runs, run("fgsm"))), asked).outcome == "pass"
    failed = run("fgsm", state="failed")
    assert judged(audit(gain, runs=(*runs, failed)), asked).outcome == "inconclusive"


@pytest.mark.parametrize("level", ["warn", "off"])
def test_rules_that_decide_nothing_are_no_pass(level):
    for asked in ({"metric": "missing", "min": 0.1}, {"metric": "sensitivity", "min": 0.99}):
        verdict = judge(audit(finding()), rules({**asked, "level": level}), today=DAY)
        assert (verdict.outcome, verdict.exit_code) == ("no gate set", 0)


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({}, {"metric": "sensitivity", "max": 30}),
        ({"metric": "auroc", "events": None}, {"metric": "auroc", "max": 5.0}),
    ],
    ids=["of cases", "AUROC"],
)
def test_a_ceiling_in_per_cent_is_not_met_by_every_share(facts, asked):
    rule = judged(audit(finding(**facts)), asked)
    assert rule.outcome == "inconclusive"
    assert "10% is 0.10" in rule.reason


def test_a_drop_or_a_gap_in_per_cent_is_not_met_by_every_share():
    area = audit(finding("auroc", events=None))
    drop = {"metric": "auroc", "max_drop": 2}
    assert judged(area, drop, baseline=area).outcome == "inconclusive"
    views = audit(by_view("frontal"), by_view("lateral"))
    gap = {"metric": "sensitivity", "gap_by": "view", "max": 10}
    assert judged(views, gap).outcome == "inconclusive"


def test_what_may_be_above_1_may_have_a_ceiling_above_1():
    rate = finding("false_alarms_per_1000", value=2.0, low=1.0, high=4.0, n=500, events=1)
    assert judged(audit(rate), {"metric": "false_alarms_per_1000", "max": 5}).outcome == "pass"


@pytest.mark.parametrize(
    ("facts", "asked"),
    [
        ({"value": 0.1, "low": 0.8, "high": 0.9}, {"min": 0.7}),
        ({"value": 0.95, "low": 0.1, "high": 0.2}, {"max": 0.3}),
    ],
    ids=["floor", "ceiling"],
)
def test_a_value_outside_its_own_interval_meets_nothing(facts, asked):
    rule = judged(audit(finding(**facts)), {"metric": "sensitivity", **asked})
    assert rule.outcome == "inconclusive"
    assert "outside its own interval" in rule.reason


def test_a_biased_value_on_the_careful_side_of_its_interval_may_be_judged():
    error = finding("ece", value=0.02, low=0.03, high=0.08, events=None)
    assert judged(audit(error), {"metric": "ece", "max": 0.1}).outcome == "pass"


@pytest.mark.parametrize(
    ("bound", "asked", "said"),
    [
        ("upper", {"min": 0.93}, True),
        ("lower", {"max": 0.85}, True),
        ("upper", {"min": 0.93, "min_n": 50}, False),
        ("lower", {"min": 0.5}, False),
        ("point", {"min": 0.5}, False),
    ],
)
def test_it_is_said_when_fewer_cases_would_meet_a_rule_more_easily(bound, asked, said):
    rule = {"metric": "sensitivity", "bound": bound, **asked}
    verdict = judge(audit(finding()), rules(rule), today=DAY)
    assert verdict.outcome == "pass"
    assert any("set min_n" in warning for warning in verdict.warnings) is said


def test_rules_that_were_not_fixed_beforehand_are_told_in_the_warnings():
    asked = rules({"metric": "sensitivity", "min": 0.1}).model_copy(update={"sha256": "ab"})

    def told(recorded: str | None) -> str:
        file = GateFile(sha256=recorded, recorded="2026-01-01") if recorded else None
        before = Provenance(date="2026-01-01", gate_file=file)
        return "\n".join(judge(audit(finding(), provenance=before), asked, today=DAY).warnings)

    assert told("ab") == ""
    assert "changed since the run: others were recorded on 2026-01-01" in told("cd")
    assert "not recorded before the run" in told(None)


def test_a_waiver_expires_by_the_clock_whatever_day_a_build_writes_down():
    waiver = {"rule": "R1", "reason": "RISK-14", "owner": "physics", "expires": DAY}
    asked = rules({"metric": "sensitivity", "min": 0.99}, waiver=[waiver])
    verdict = judge(audit(finding()), asked, today=date(1980, 1, 1), now=date(2026, 6, 2))
    assert (verdict.exit_code, verdict.judged_on) == (1, date(1980, 1, 1))
    assert "expired on 2026-06-01" in verdict.rules[0].reason


def test_a_waiver_is_of_one_rule_and_owned_by_somebody():
    asked = {"metric": "sensitivity", "min": 0.99}
    one = {"rule": "R1", "reason": "RISK-14", "owner": "physics", "expires": DAY}
    verdict = judge(audit(finding()), rules(asked, asked, waiver=[one]), today=DAY)
    assert [rule.outcome for rule in verdict.rules] == ["waived", "fail"]
    assert verdict.exit_code == 1
    for blank in ({"owner": "  "}, {"reason": "\t"}, {"rule": "R9"}):
        with pytest.raises(ValidationError):
            rules(asked, waiver=[{**one, **blank}])


def test_images_that_another_model_made_count_for_a_rule_that_names_it_and_for_no_other():
    carried = {**FGSM, "params": {"epsilon": 2 / 255, "surrogate": "other"}}
    results = audit(finding(**FGSM), finding(**carried, low=0.3), runs=(run(), run("fgsm")))
    own = {**ROBUST, "min": 0.5, "where": {"stress": "fgsm"}}
    theirs = {**own, "where": {"stress": "fgsm", "surrogate": "other"}}
    assert judged(results, own).judged == 0.8
    transfer = run("fgsm", id="fgsm~other", surrogate="other")
    done = results.model_copy(update={"plan": audit(runs=(*ATTACKED, transfer)).plan})
    assert judged(done, theirs).judged == 0.3
    failed = transfer.model_copy(update={"state": "failed"})
    half = results.model_copy(update={"plan": audit(runs=(*ATTACKED, failed)).plan})
    assert judged(half, {**theirs, "min": 0.1}).outcome == "inconclusive"
    assert judged(half, own).outcome == "pass"

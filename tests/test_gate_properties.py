"""Whatever the results and the rules: nothing that is missing, broken or unfinished passes."""

from __future__ import annotations

from datetime import date

from hypothesis import event, given, settings
from hypothesis import strategies as st

from audit.gate.judge import judge
from audit.results import DataDescription, Finding, Note, PlannedRun, ProbeReport
from tests.gate_audits import audit, rules

DAY = date(2026, 6, 1)
METRICS = ("sensitivity", "robust_sensitivity")
STRESSES = ("clean", "fgsm", "pgd")
VIEWS = ("frontal", "lateral")
STATES = ("done", "planned", "failed", "not applicable", "skipped")
share = st.floats(0, 1)


def mostly(usual, *rare):
    """Nine times in ten the usual value, so that passes are common enough to be tested."""
    return st.integers(0, 9).flatmap(lambda i: st.sampled_from(rare) if i == 0 else st.just(usual))


@st.composite
def findings(draw) -> Finding:
    low, value, high = sorted(draw(st.tuples(share, share, share)))
    return Finding(
        metric=draw(st.sampled_from(METRICS)),
        stress=draw(st.sampled_from(STRESSES)),
        params=draw(st.sampled_from([{}, {"epsilon": 2 / 255}, {"epsilon": 4 / 255}])),
        group=draw(st.sampled_from([{}, {"view": "frontal"}, {"view": "lateral"}])),
        value=draw(mostly(value, None)),
        low=draw(mostly(low, None, 1.0)),
        high=draw(mostly(high, None, 0.0)),
        n=draw(mostly(100, 0, 1, 30)),
        independent=draw(mostly(False, True)),
    )


@st.composite
def audits(draw):
    stresses = draw(mostly(STRESSES, (), ("fgsm",), ("clean",)))
    runs = tuple(
        PlannedRun(
            id=stress,
            stress=stress,
            kind="clean" if stress == "clean" else "attack",
            sample=10,
            of=10,
            state=draw(mostly("done", *STATES)),
        )
        for stress in stresses
    )
    fault = (Note(code="nan-logits", level="fault", text="NaN logits"),)
    probe = ProbeReport(
        probe="shortcuts",
        state=draw(mostly("done", "failed")),
        findings=tuple(draw(st.lists(findings(), max_size=2))),
    )
    data = DataDescription(
        layout="arrays",
        cases=draw(mostly(100, 0)),
        attributes={"view": {"frontal": 60, "lateral": 40}},
    )
    found = draw(st.lists(findings(), min_size=4, max_size=14))
    return audit(*found, runs=runs, notes=draw(mostly((), fault)), probes=(probe,), data=data)


@st.composite
def rule_sets(draw):
    gap = draw(st.booleans())
    rule: dict[str, object] = {
        "metric": draw(st.sampled_from(METRICS)),
        "where": draw(
            st.sampled_from(
                [
                    {},
                    {"stress": "fgsm"},
                    {"stress": "any"},
                    {"stress": "fgsm", "epsilon": "2/255"},
                    {"view": "lateral"},
                    {"viwe": "lateral"},
                ]
            )
        ),
        "max" if gap else draw(st.sampled_from(("min", "max"))): draw(share),
    }
    if gap:
        rule |= {"gap_by": "view", "where": {}}
        rule |= draw(st.sampled_from([{}, {"between": ["frontal", "lateral"]}]))
    if draw(st.booleans()):
        rule["bound"] = draw(st.sampled_from(("lower", "upper", "point")))
    if draw(st.booleans()):
        rule["min_n"] = draw(st.integers(1, 100))
    warn = draw(st.sampled_from(("fail", "warn")))
    return rules(rule, on_inconclusive=warn, assume_independent=draw(st.booleans()))


def fits(finding: Finding, rule) -> bool:
    """Whether a finding is of the kind a rule asks for, written down anew."""
    where = dict(rule.where)
    stress = where.pop("stress", "clean")
    stress_fits = finding.stress != "clean" if stress == "any" else finding.stress == stress
    epsilon = where.pop("epsilon", None)
    level_fits = epsilon is None or abs(finding.params.get("epsilon", 0) - 2 / 255) < 1e-9
    group_fits = set(finding.group) == {"view"} if rule.gap_by else finding.group == where
    return finding.metric == rule.metric and stress_fits and level_fits and group_fits


@settings(max_examples=150, deadline=None)
@given(audits(), rule_sets())
def test_a_pass_rests_on_evidence_that_is_there_complete_and_finished(results, asked):
    verdict = judge(results, asked, today=DAY)
    (judged,) = verdict.rules
    event(judged.outcome)
    if judged.outcome != "pass":
        return
    rule = asked.rules[0]
    everything = [*results.findings, *results.probes[0].findings]
    evidence = [finding for finding in everything if fits(finding, rule)]
    assert evidence
    assert results.data.cases > 0
    assert not results.notes
    states = {run.stress: run.state for run in results.plan.runs}
    assert states.get("clean") == "done"
    for finding in evidence:
        assert finding.value is not None
        if rule.bound != "point":
            assert finding.low is not None
            assert finding.high is not None
            assert finding.low <= finding.high
        assert finding.n >= (rule.min_n or 1)
        assert asked.gate.assume_independent or not finding.independent
        assert states.get(finding.stress, "done") == "done"
        if not rule.gap_by:
            low = finding.value if rule.bound == "point" else finding.low
            high = finding.value if rule.bound == "point" else finding.high
            low = high if rule.bound == "upper" else low
            high = finding.low if rule.bound == "lower" else high
            assert rule.minimum is None or low >= rule.minimum
            assert rule.maximum is None or high <= rule.maximum
    broken = results.probes[0].findings if results.probes[0].state == "failed" else ()
    assert not [finding for finding in broken if finding in evidence]


@settings(max_examples=60, deadline=None)
@given(audits(), rule_sets())
def test_the_exit_code_says_what_the_rule_came_to(results, asked):
    verdict = judge(results, asked, today=DAY)
    lenient = asked.gate.on_inconclusive == "warn"
    expected = {"pass": 0, "fail": 1, "inconclusive": 0 if lenient else 3}
    assert verdict.exit_code == expected[verdict.rules[0].outcome]
    assert verdict.rules[0].reason
    if verdict.rules[0].outcome == "inconclusive" and lenient:
        assert verdict.warnings


@settings(max_examples=60, deadline=None)
@given(audits(), rule_sets(), st.data())
def test_taking_a_value_away_never_turns_a_rule_into_a_pass(results, asked, data):
    before = judge(results, asked, today=DAY).rules[0].outcome
    if not results.findings or before == "pass":
        return
    place = data.draw(st.integers(0, len(results.findings) - 1))
    hollow = results.findings[place].model_copy(update={"value": None, "low": None, "high": None})
    kept = [*results.findings]
    kept[place] = hollow
    after = judge(results.model_copy(update={"findings": tuple(kept)}), asked, today=DAY)
    assert after.rules[0].outcome != "pass"

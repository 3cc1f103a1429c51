"""A rule that is met, and one thing gone wrong in what it rests on: it is met no longer.

Every kind of rule, every part of its evidence, every way of losing it; the numbers are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.gate.judge import judge
from audit.results import Finding, Note, PlannedRun, ProbeReport, Results, Skipped
from tests.gate_audits import audit, finding, rules, run

DAY = date(2026, 6, 1)
VIEWS = ("frontal", "lateral")
FAULT = Note(code="nan-logits", level="fault", text="3 of 100 logits are NaN")
UNFINISHED = ("planned", "failed", "skipped", "not applicable")


@dataclass(frozen=True)
class Asked:
    """A rule without its threshold, the findings and runs it rests on, and what bounds it."""

    rule: dict[str, object]
    rests_on: Callable[[Finding], bool]
    runs: tuple[str, ...] = ("clean",)
    bound: str = "min"
    alone: bool = True  # a finding that is gone leaves a gap that can be seen
    baseline: bool = False
    probe: bool = False


def on(metric: str, *stresses: str, grouped: bool = False) -> Callable[[Finding], bool]:
    return lambda f: (
        f.metric == metric and f.stress in (stresses or ("clean",)) and bool(f.group) == grouped
    )


FGSM, ATTACKS = ("clean", "fgsm"), ("clean", "fgsm", "pgd")
ROBUST = {"metric": "robust_sensitivity"}
BY_VIEW = {"gap_by": "view", "between": list(VIEWS)}
ASKED = {
    "floor": Asked({"metric": "sensitivity"}, on("sensitivity")),
    "ceiling": Asked({"metric": "ece"}, on("ece"), bound="max"),
    "of a group": Asked(
        {"metric": "sensitivity", "where": {"view": "lateral"}},
        lambda f: f.metric == "sensitivity" and f.group == {"view": "lateral"},
    ),
    "at one level": Asked(
        {**ROBUST, "where": {"stress": "fgsm", "epsilon": "2/255"}},
        lambda f: f.stress == "fgsm" and not f.group and f.params == {"epsilon": 2 / 255},
        FGSM,
    ),
    "at every level": Asked(
        {**ROBUST, "where": {"stress": "any"}},
        on("robust_sensitivity", "fgsm", "pgd", "worst_case"),
        ATTACKS,
        alone=False,
    ),
    "over all attacks": Asked(
        {**ROBUST, "where": {"stress": "worst_case"}},
        on("robust_sensitivity", "worst_case"),
        ATTACKS,
    ),
    "gap": Asked(
        {"metric": "sensitivity", **BY_VIEW}, on("sensitivity", grouped=True), bound="max"
    ),
    "gap at every level": Asked(
        {**ROBUST, "gap_by": "view", "where": {"stress": "any"}},
        on("robust_sensitivity", "fgsm", "pgd", grouped=True),
        ATTACKS,
        bound="max",
    ),
    "drop": Asked(
        {"metric": "sensitivity"}, on("sensitivity"), bound="max_drop", baseline=True
    ),
    "drop at every level": Asked(
        {**ROBUST, "where": {"stress": "any"}},
        on("robust_sensitivity", "fgsm", "pgd", "worst_case"),
        ATTACKS,
        bound="max_drop",
        baseline=True,
    ),
    "of a probe": Asked({"metric": "shared_images"}, on("shared_images"), probe=True, bound="max"),
}  # fmt: skip


@st.composite
def numbers(draw) -> dict[str, float]:
    low, value, high = sorted(draw(st.tuples(*[st.floats(0, 1)] * 3)))
    return {"value": value, "low": low, "high": high, "n": draw(st.integers(50, 500))}


@st.composite
def sound(draw) -> Results:
    """An audit in which everything was done and found."""
    levels = [("fgsm", 2 / 255), ("fgsm", 4 / 255), ("pgd", 2 / 255)]
    places: list[dict[str, object]] = [
        *({"metric": metric} for metric in ("sensitivity", "ece")),
        *({"metric": "sensitivity", "group": {"view": view}} for view in VIEWS),
        {**ROBUST, "stress": "worst_case", "params": {"norm": "any"}},
    ]
    for stress, epsilon in levels:
        level = {**ROBUST, "stress": stress, "params": {"epsilon": epsilon}}
        places += [level, *({**level, "group": {"view": view}} for view in VIEWS)]
    found = [finding(**place, **draw(numbers()), events=None) for place in places]
    leaked = finding("shared_images", **draw(numbers()), events=None)
    probe = ProbeReport(probe="leakage", findings=(leaked,))
    return audit(*found, runs=tuple(map(run, ATTACKS)), probes=(probe,))


def threshold(asked: Asked) -> float:
    """One that the drawn numbers meet, whatever they are."""
    return 0.0 if asked.bound == "min" else 1.0


def outcome(asked: Asked, results: Results, baseline: Results | None, **changes: object) -> str:
    rule = {**asked.rule, asked.bound: threshold(asked), **changes}
    given_baseline = baseline if asked.baseline else None
    return judge(results, rules(rule), baseline=given_baseline, today=DAY).rules[0].outcome


# ---- what goes wrong with a finding


HOLLOW: dict[str, Callable[[Finding], Finding]] = {
    "no value": lambda f: f.model_copy(update={"value": None}),
    "nothing": lambda f: f.model_copy(update={"value": None, "low": None, "high": None}),
    "no lower limit": lambda f: f.model_copy(update={"low": None}),
    "no upper limit": lambda f: f.model_copy(update={"high": None}),
    "no interval": lambda f: f.model_copy(update={"low": None, "high": None}),
    "upside down": lambda f: f.model_copy(update={"low": 1.0, "high": 0.0}),
    "no case": lambda f: f.model_copy(update={"n": 0}),
    "too few": lambda f: f.model_copy(update={"n": 29}),
    "patients unknown": lambda f: f.model_copy(update={"independent": True}),
}


def with_finding(results: Results, old: Finding, new: Finding | None) -> Results:
    def changed(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(new if f is old else f for f in found if f is not old or new is not None)

    probes = tuple(p.model_copy(update={"findings": changed(p.findings)}) for p in results.probes)
    return results.model_copy(update={"findings": changed(results.findings), "probes": probes})


def evidence(asked: Asked, results: Results) -> list[Finding]:
    everything = [*results.findings, *(f for p in results.probes for f in p.findings)]
    return [f for f in everything if asked.rests_on(f)]


each = pytest.mark.parametrize("name", ASKED)


@each
@settings(max_examples=12, deadline=None)
@given(results=sound(), baseline=sound(), data=st.data())
def test_a_rule_is_not_met_once_one_of_its_findings_is_hollow_or_gone(
    name, results, baseline, data
):
    asked = ASKED[name]
    assert outcome(asked, results, baseline, min_n=30) == "pass"
    mine = data.draw(st.booleans()) or not asked.baseline
    whole = results if mine else baseline
    old = data.draw(st.sampled_from(evidence(asked, whole)))
    for how, damage in HOLLOW.items():
        hurt = with_finding(whole, old, damage(old))
        sides = (hurt, baseline) if mine else (results, hurt)
        assert outcome(asked, *sides, min_n=30) == "inconclusive", how
    if asked.alone:
        gone = with_finding(whole, old, None)
        sides = (gone, baseline) if mine else (results, gone)
        assert outcome(asked, *sides) == "inconclusive"


# ---- what goes wrong with the work


def with_runs(results: Results, runs: tuple[PlannedRun, ...]) -> Results:
    return results.model_copy(update={"plan": results.plan.model_copy(update={"runs": runs})})


@each
@settings(max_examples=4, deadline=None)
@given(results=sound(), baseline=sound())
def test_a_rule_is_not_met_when_a_run_it_rests_on_did_not_finish(name, results, baseline):
    asked = ASKED[name]
    for stress in asked.runs:
        for state in UNFINISHED:
            runs = tuple(
                r.model_copy(update={"state": state}) if r.stress == stress else r
                for r in results.plan.runs
            )
            hurt = with_runs(results, runs)
            assert outcome(asked, hurt, baseline) == "inconclusive", (stress, state)
            if asked.baseline:
                assert outcome(asked, results, with_runs(baseline, runs)) == "inconclusive"
    assert outcome(asked, with_runs(results, ()), baseline) == "inconclusive"


def faulty(results: Results) -> dict[str, Results]:
    """The audit, with a fault wherever one may be written down, or without enough cases."""
    probe = results.probes[0].model_copy(update={"notes": (FAULT,)})
    skipped = tuple(Skipped(case=str(number), reason="truncated") for number in range(30))
    low = Note(code="coverage", level="warning", text="30 of 130 could not be read")

    def other(part: str, **changes: object) -> Results:
        return results.model_copy(update={part: getattr(results, part).model_copy(update=changes)})

    return {
        "of the audit": results.model_copy(update={"notes": (FAULT,)}),
        "of the model": other("model", notes=(FAULT,)),
        "of the data": other("data", notes=(FAULT,)),
        "of a probe": results.model_copy(update={"probes": (probe,)}),
        "no case": other("data", cases=0),
        "coverage": results.model_copy(update={"notes": (low,)}),
        "unread": other("data", skipped=skipped),
    }


@each
@settings(max_examples=4, deadline=None)
@given(results=sound(), baseline=sound())
def test_no_rule_is_met_by_an_audit_at_fault_or_against_one(name, results, baseline):
    asked = ASKED[name]
    rule = rules({**asked.rule, asked.bound: threshold(asked)}, max_skipped=0.2)
    before = baseline if asked.baseline else None
    assert judge(results, rule, baseline=before, today=DAY).outcome == "pass"
    for why, hurt in faulty(results).items():
        assert judge(hurt, rule, baseline=before, today=DAY).exit_code == 3, why
    for why, hurt in faulty(baseline).items() if asked.baseline else ():
        assert judge(results, rule, baseline=hurt, today=DAY).exit_code == 3, why


@settings(max_examples=10, deadline=None)
@given(results=sound())
def test_no_finding_of_a_probe_that_broke_down_is_believed(results):
    for state in ("failed", "skipped", "not applicable"):
        probe = results.probes[0].model_copy(update={"state": state})
        hurt = results.model_copy(update={"probes": (probe,)})
        assert outcome(ASKED["of a probe"], hurt, None) == "inconclusive"


@pytest.mark.parametrize("name", [name for name, asked in ASKED.items() if asked.baseline])
@settings(max_examples=4, deadline=None)
@given(results=sound(), baseline=sound())
def test_a_drop_is_not_met_against_nothing_or_against_something_else(name, results, baseline):
    asked = ASKED[name]
    assert outcome(asked, results, None) == "inconclusive"
    others = [
        {"model": baseline.model.model_copy(update={"positive_class": "normal"})},
        {"model": baseline.model.model_copy(update={"classes": ("normal", "fractured", "else")})},
        {"data": baseline.data.model_copy(update={"synthetic": True})},
    ]
    for changes in others:
        assert outcome(asked, results, baseline.model_copy(update=changes)) == "inconclusive"


@each
@settings(max_examples=4, deadline=None)
@given(results=sound(), baseline=sound())
def test_a_rule_that_asks_for_what_nobody_knows_is_not_met(name, results, baseline):
    asked = ASKED[name]
    where = dict(asked.rule.get("where", {}))
    for changes in (
        {"metric": "sensitivities"},
        {"where": {**where, "scanner": "A"}},
        {"where": {**where, "defence": "tta"}},
        {"where": {**where, "variant": "worst cell"}},
        {"where": {**where, "stress": "fsgm"}},
    ):
        assert outcome(asked, results, baseline, **changes) == "inconclusive", changes


# ---- thresholds


@settings(max_examples=40, deadline=None)
@given(first=numbers(), others=st.lists(numbers(), min_size=1, max_size=5), floor=st.floats(0, 1))
def test_of_several_findings_the_worst_governs(first, others, floor):
    found = [
        finding(**ROBUST, stress="fgsm", params={"epsilon": e / 255}, **told, events=None)
        for e, told in enumerate([first, *others], start=1)
    ]
    results = audit(*found, runs=(run(), run("fgsm")))
    rule = rules({**ROBUST, "min": floor, "where": {"stress": "fgsm"}})
    (judged,) = judge(results, rule, today=DAY).rules
    lowest = min(told["low"] for told in [first, *others])
    assert judged.judged == pytest.approx(lowest, abs=1e-15)
    assert judged.outcome == ("pass" if lowest >= floor else "fail")


@settings(max_examples=40, deadline=None)
@given(told=numbers(), ends=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_floor_and_a_ceiling_are_both_held(told, ends):
    floor, ceiling = sorted(ends)
    rule = rules({"metric": "sensitivity", "min": floor, "max": ceiling})
    (judged,) = judge(audit(finding(**told, events=None)), rule, today=DAY).rules
    met = floor <= told["low"] and told["high"] <= ceiling
    assert judged.outcome == ("pass" if met else "fail")

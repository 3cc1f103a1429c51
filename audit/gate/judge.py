"""The gate: rules held against results. Whatever is missing is never a pass.

Opens no model and no image: audit.json and a rule file are all it reads.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from audit.gate.evidence import Unanswerable, whole_audit_fault
from audit.gate.measures import Measure, Paired, measures
from audit.gate.rule_file import load_rules
from audit.gate.rules import Gate, GateRules, Rule, Waiver
from audit.gate.verdict import RuleOutcome, RuleVerdict, Verdict
from audit.gate.wording import LIMIT, rule_text, threshold_of
from audit.results import Results

__all__ = ["judge", "load_rules"]

Judgement = Literal["pass", "fail", "inconclusive"]
Bound = Literal["lower", "upper", "point"]
UNPAIRED = "unpaired, so the interval is wider than a paired one; a drop is not shown"
PAIRED = "a larger drop is neither shown nor ruled out"
ROUNDING = 1e-9
WORST_FIRST: tuple[RuleOutcome, ...] = ("fail", "inconclusive", "pass")


def judge(
    results: Results,
    rules: GateRules | None,
    *,
    baseline: Results | None = None,
    today: date,
    now: date | None = None,
    paired: Paired | None = None,
) -> Verdict:
    """Hold every rule against the results.

    A rule passes only when the finding it names is there, was computed from runs that
    finished, has an interval (unless the point is judged) and meets the threshold; of several
    findings the worst governs. Outcome and exit code: "pass" 0, "fail" 1, "inconclusive" 3
    (0 with a warning when `on_inconclusive = "warn"`), "no gate set" 0 (no rule of level "error").
    `today` is written down; waivers expire by `now`, where a build fixes the former. `paired`
    compares with the baseline case by case (`audit.compare.drop.changes`); without it a drop is
    judged from the two audits' intervals.
    """
    audit_hash = hashlib.sha256(results.to_json().encode()).hexdigest()
    if rules is None or not rules.rules:
        return Verdict(
            outcome="no gate set",
            exit_code=0,
            gate_file=rules.name if rules else "",
            gate_file_sha256=rules.sha256 if rules else None,
            audit_sha256=audit_hash,
            judged_on=today,
            synthetic=results.data.synthetic,
        )
    gate = rules.gate
    fault = whole_audit_fault(results, gate.max_skipped)
    waivers = {waiver.rule: waiver for waiver in gate.waiver}
    judged = []
    for rule in rules.rules:
        verdict = _judge_rule(rule, results, baseline, gate, fault, paired)
        verdict = verdict.model_copy(update={"line": rules.lines.get(rule.id)})
        waiver = waivers.get(rule.id)
        judged.append(_waived(verdict, waiver, now or today, at_fault=fault is not None))
    outcome, exit_code = _overall(judged, gate)
    before = _recorded_before(results, rules)
    return Verdict(
        outcome=outcome,
        exit_code=exit_code,
        gate_file=rules.name,
        gate_file_sha256=rules.sha256,
        gate_file_recorded_before=before,
        audit_sha256=audit_hash,
        judged_on=today,
        synthetic=results.data.synthetic,
        warnings=(
            *_warnings(judged, gate),
            *_lenient(rules, judged),
            *_unrecorded(results, before),
        ),
        on_inconclusive=gate.on_inconclusive,
        rules=tuple(judged),
    )


def _judge_rule(
    rule: Rule,
    results: Results,
    baseline: Results | None,
    gate: Gate,
    fault: str | None,
    paired: Paired | None,
) -> RuleVerdict:
    if rule.level == "off":
        return _verdict(rule, "off", "switched off in the rule file")
    if fault is not None:
        return _verdict(rule, "inconclusive", fault)
    try:
        found = measures(rule, results, baseline, gate.max_skipped, paired)
        each = [_judge_measure(rule, measure, gate) for measure in found]
    except Unanswerable as reason:
        return _verdict(rule, "inconclusive", str(reason))
    worst = min(each, key=lambda verdict: _rank(rule, verdict))
    if len(each) == 1:
        return worst
    more = f"{worst.reason}; the worst of {len(each)} findings"
    if rule.gap_by and rule.between is None:
        more += " (the largest gap is biased upwards: name two values in between)"
    return worst.model_copy(update={"reason": more})


def _judge_measure(rule: Rule, measure: Measure, gate: Gate) -> RuleVerdict:
    """One number against the rule's thresholds; the refusals come before the comparison."""
    problem = _unusable(rule, measure, gate)
    if problem:
        return _verdict(rule, "inconclusive", f"{measure.what}: {problem}", measure)
    held = min(_comparisons(rule, measure), key=lambda comparison: comparison.room)
    met = held.room >= 0
    reason = (
        f"{measure.what}: {LIMIT[held.limit]} {held.judged:.4g}, "
        f"{held.asked} {held.threshold:.4g} asked"
    )
    outcome: Judgement = "pass" if met else "fail"
    if not met and measure.drop and held.limit == "upper" and (measure.low or 0) <= held.threshold:
        outcome = "inconclusive"
        reason += f" ({UNPAIRED if measure.wide else PAIRED})"
    verdict = _verdict(rule, outcome, reason, measure)
    return verdict.model_copy(update={"judged": held.judged, "threshold": held.threshold})


@dataclass(frozen=True)
class _Comparison:
    """`room`: how far the number judged is on the good side of the threshold."""

    asked: str
    threshold: float
    limit: Bound
    judged: float
    room: float


def _comparisons(rule: Rule, measure: Measure) -> Iterator[_Comparison]:
    """The rule's floor and ceiling, each held against the limit that makes it harder."""
    numbers = {"lower": measure.low, "upper": measure.high, "point": measure.value}
    ceiling = rule.maximum if rule.max_drop is None else rule.max_drop
    sides: tuple[tuple[str, float | None, Bound], ...] = (
        ("at least", rule.minimum, "lower"),
        ("at most", ceiling, "upper"),
    )
    for asked, threshold, harder in sides:
        limit = rule.bound or harder
        judged = numbers[limit]
        if threshold is None:
            continue
        if judged is None:
            raise Unanswerable(f"{measure.what}: no {LIMIT[limit]}")
        room = judged - threshold if asked == "at least" else threshold - judged
        yield _Comparison(asked, threshold, limit, judged, room)


def _unusable(rule: Rule, measure: Measure, gate: Gate) -> str | None:
    """Why a number may not be judged; None when it may."""
    if measure.value is None:
        return measure.reason or "it has no value"
    if measure.n < (rule.min_n or 1):
        return f"n = {measure.n}, fewer than {rule.min_n or 1}"
    ceiling = rule.maximum if rule.max_drop is None else rule.max_drop
    if measure.share and ceiling is not None and ceiling > 1:
        return f"at most {ceiling:g} asks nothing of a share, which ends at 1 (10% is 0.10)"
    numbers = (measure.value, measure.low, measure.high)
    if not all(number is None or math.isfinite(number) for number in numbers):
        return "it is not a finite number"
    if rule.bound != "point":
        if measure.low is None or measure.high is None:
            return "it has no interval to judge"
        if measure.low > measure.high:
            return "its interval is upside down"
        # bootstrap limits may lie beside a biased value; never where the value is the worse one
        below = rule.minimum is not None and measure.value < measure.low - ROUNDING
        above = ceiling is not None and measure.value > measure.high + ROUNDING
        if below or above:
            return "it lies outside its own interval"
    if measure.independent and not gate.assume_independent:
        return (
            "images were treated as independent (no patient ids); name the column with "
            "--cluster-by, or set assume_independent = true if every image is another patient"
        )
    return None


def _rank(rule: Rule, verdict: RuleVerdict) -> tuple[int, float]:
    """The order from bad to good: first the outcome, then the room left to the threshold."""
    order = WORST_FIRST.index(verdict.outcome)
    if verdict.judged is None or verdict.threshold is None:
        return order, -math.inf
    room = verdict.judged - verdict.threshold
    return order, room if verdict.threshold == rule.minimum else -room


def _verdict(
    rule: Rule, outcome: Judgement | Literal["off"], reason: str, measure: Measure | None = None
) -> RuleVerdict:
    return RuleVerdict(
        id=rule.id,
        metric=rule.metric,
        outcome=outcome,
        level=rule.level,
        observed=measure.value if measure else None,
        low=measure.low if measure else None,
        high=measure.high if measure else None,
        n=measure.n if measure else None,
        threshold=threshold_of(rule),
        text=rule_text(rule),
        where=rule.where,
        reason=reason,
    )


def _waived(
    verdict: RuleVerdict, waiver: Waiver | None, today: date, *, at_fault: bool
) -> RuleVerdict:
    """A waiver covers a rule that is not met, until its day; never an audit at fault."""
    if waiver is None or verdict.outcome == "off":
        return verdict
    facts = {"owner": waiver.owner, "expires": waiver.expires}
    if verdict.outcome == "pass":
        return verdict.model_copy(update={**facts, "reason": f"{verdict.reason}; waiver unneeded"})
    if waiver.expires < today:
        reason = f"{verdict.reason}; the waiver of {waiver.owner} expired on {waiver.expires}"
        return verdict.model_copy(update={**facts, "reason": reason})
    if at_fault:
        return verdict.model_copy(update=facts)
    reason = f"{verdict.reason}; waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"
    more = {"outcome": "waived", "waived_from": verdict.outcome, "reason": reason}
    return verdict.model_copy(update={**facts, **more})


def _overall(
    judged: Sequence[RuleVerdict], gate: Gate
) -> tuple[Literal["pass", "fail", "inconclusive", "no gate set"], Literal[0, 1, 3]]:
    outcomes = {verdict.outcome for verdict in judged if verdict.level == "error"}
    if not outcomes:  # rules that only warn, or are off, are no gate
        return "no gate set", 0
    if "fail" in outcomes:
        return "fail", 1
    if "inconclusive" in outcomes:
        return "inconclusive", 0 if gate.on_inconclusive == "warn" else 3
    return "pass", 0


def _warnings(judged: Sequence[RuleVerdict], gate: Gate) -> tuple[str, ...]:
    def worth_saying(verdict: RuleVerdict) -> bool:
        if verdict.outcome == "inconclusive" and gate.on_inconclusive == "warn":
            return True
        return verdict.outcome == "waived" or (
            verdict.level == "warn" and verdict.outcome in ("fail", "inconclusive")
        )

    return tuple(f"{v.id} {v.outcome}: {v.reason}" for v in judged if worth_saying(v))


def _lenient(rules: GateRules, judged: Sequence[RuleVerdict]) -> Iterator[str]:
    """Rules met by the limit that is the easier to meet the fewer cases there are."""
    for rule, verdict in zip(rules.rules, judged, strict=True):
        easier = [
            *(["upper"] if rule.minimum is not None else []),
            *(["lower"] if rule.maximum is not None or rule.max_drop is not None else []),
        ]
        if verdict.outcome == "pass" and rule.bound in easier and rule.min_n is None:
            yield f"{rule.id} pass: few cases meet its {rule.bound} limit more easily; set min_n"


def _unrecorded(results: Results, before: bool) -> Iterator[str]:
    if not before:
        recorded = results.provenance.gate_file
        yield (
            "the rules were not recorded before the run"
            if recorded is None
            else f"the rules changed since the run: others were recorded on {recorded.recorded}"
        )


def _recorded_before(results: Results, rules: GateRules) -> bool:
    recorded = results.provenance.gate_file
    return recorded is not None and rules.sha256 is not None and recorded.sha256 == rules.sha256

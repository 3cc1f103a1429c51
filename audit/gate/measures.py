"""The numbers a rule judges: a finding, a gap between groups, or a drop from a baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

from audit.gate.evidence import Unanswerable, matching, whole_audit_fault
from audit.gate.rules import Rule
from audit.results import Finding, Results, as_levels

# This audit minus the baseline, of two findings of the same thing, case by case; None where the
# cases cannot be paired. Raises Unanswerable where the predictions cannot be believed.
Paired = Callable[[Finding, Finding], Finding | None]


# Parameters that one metric is told apart by, and what stands before them.
AT = (
    ("cutoff", "above the cut-off"),
    ("coverage", "at coverage"),
    ("prevalence", "at a prevalence of"),
    ("threshold", "at a threshold of"),
    ("specificity", "at a specificity of"),
    ("sensitivity", "at a sensitivity of"),
)
# What lies between 0 and 1 without being a count of cases.
SHARES = frozenset(
    {"auroc", "partial_auroc", "f1", "ece", "brier", "aurc", "precision", "ppv", "npv"}
)


@dataclass(frozen=True)
class Measure:
    """A number with its interval. `n` is the smallest denominator it rests on; `drop`: it is a
    fall from a baseline; `wide`: its interval ignores that two audits saw the same cases, so that
    it is wider than need be; `share`: it cannot be above 1."""

    what: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    independent: bool
    reason: str | None = None
    drop: bool = False
    wide: bool = False
    share: bool = False


def measures(
    rule: Rule,
    results: Results,
    baseline: Results | None,
    max_skipped: float | None,
    paired: Paired | None = None,
) -> list[Measure]:
    """What the rule judges, at least one. Raises Unanswerable when the evidence is not there."""
    if rule.max_drop is not None:
        return _drops(rule, results, baseline, max_skipped, paired)
    if rule.gap_by:
        return _gaps(rule, results)
    return [_plain(finding) for finding in matching(results, rule)]


def _plain(finding: Finding) -> Measure:
    return Measure(
        what=described(finding),
        value=finding.value,
        low=finding.low,
        high=finding.high,
        n=finding.n,
        independent=finding.independent,
        reason=finding.reason,
        share=_is_share(finding),
    )


def _is_share(finding: Finding) -> bool:
    if finding.metric in SHARES:
        return True
    if finding.value is None or finding.events is None or finding.n < 1:
        return False
    return math.isclose(finding.value, finding.events / finding.n, abs_tol=1e-6)


def described(finding: Finding) -> str:
    """A finding in words: what, under what, for whom."""
    parts = [finding.metric]
    if finding.stress != "clean":
        parts.append(f"under {finding.stress}")
    epsilon = finding.params.get("epsilon")
    if isinstance(epsilon, float):
        parts.append(f"at {as_levels(epsilon)}")
    parts += [f"{word} {finding.params[name]}" for name, word in AT if name in finding.params]
    if finding.defence != "none":
        parts.append(f"with {finding.defence}")
    if "surrogate" in finding.params:
        parts.append(f"made on {finding.params['surrogate']}")
    parts += [f"{key} {value}" for key, value in finding.group.items()]
    return " ".join(parts)


def _gaps(rule: Rule, results: Results) -> list[Measure]:
    """The absolute difference for every pair of groups, same run on both sides.

    Where the audit holds the difference itself, its interval is taken: it knows which
    patients stand on both sides.
    """
    attribute = str(rule.gap_by)
    values = rule.between or tuple(sorted(results.data.attributes.get(attribute, {})))
    if len(values) < 2:
        raise Unanswerable(f'the data has no two values of "{attribute}" to compare')
    groups = {value: matching(results, rule, {attribute: value}) for value in values}
    found = []
    for first, second in combinations(values, 2):
        for one, other in _alike(groups[first], groups[second], attribute):
            gap = _difference(one, other, absolute=True)
            known = _known_difference(results, one, other, attribute)
            found.append(_with_limits_of(gap, known) if known else gap)
    return found


def _known_difference(
    results: Results, one: Finding, other: Finding, attribute: str
) -> Finding | None:
    """The audit's own finding of one - other or other - one, when it has limits."""
    for this, that in ((one, other), (other, one)):
        contrast = f"{attribute}={that.group[attribute]}"
        for finding in results.findings:
            if (
                finding.contrast == contrast
                and _has_limits(finding)
                and _place(finding) == _place(this)
                and finding.metric == this.metric
            ):
                return finding
    return None


def _has_limits(finding: Finding) -> bool:
    """An interval that is there and not upside down."""
    low, high = finding.low, finding.high
    return low is not None and high is not None and low <= high


def _with_limits_of(gap: Measure, known: Finding) -> Measure:
    low, high = _absolute(known.low, known.high)
    return replace(gap, low=low, high=high, independent=gap.independent or known.independent)


def _alike(
    ones: Sequence[Finding], others: Sequence[Finding], but: str | None
) -> Iterator[tuple[Finding, Finding]]:
    """The pairs that differ in one attribute only (None: in none).

    Raises Unanswerable for a finding of either side that stands alone: it would go unjudged.
    """
    sides = _by_place(ones, but), _by_place(others, but)
    for mine, theirs in (sides, sides[::-1]):
        for place, found in mine.items():
            if place not in theirs:
                raise Unanswerable(f"{described(found[0])} has no counterpart to be compared with")
    for place, found in sides[0].items():
        yield from product(found, sides[1][place])


def _by_place(
    findings: Sequence[Finding], but: str | None
) -> dict[tuple[object, ...], list[Finding]]:
    places: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        places.setdefault(_place(finding, but), []).append(finding)
    return places


def _place(finding: Finding, but: str | None = None) -> tuple[object, ...]:
    """What a finding is about, except for one attribute."""
    group = sorted((name, value) for name, value in finding.group.items() if name != but)
    params = sorted(finding.params.items())
    return finding.stress, finding.defence, finding.variant, tuple(params), tuple(group)


def _drops(
    rule: Rule,
    results: Results,
    baseline: Results | None,
    max_skipped: float | None,
    paired: Paired | None,
) -> list[Measure]:
    if baseline is None:
        raise Unanswerable("max_drop needs the audit to compare with: add --baseline AUDIT.json")
    fault = whole_audit_fault(baseline, max_skipped)
    if fault:
        raise Unanswerable(f"the baseline audit cannot be used: {fault}")
    _comparable(baseline, results)
    try:
        before = matching(baseline, rule)
    except Unanswerable as reason:
        raise Unanswerable(f"in the baseline: {reason}") from reason
    now = matching(results, rule)
    return [_drop(old, new, paired) for old, new in _alike(before, now, None)]


def _comparable(baseline: Results, results: Results) -> None:
    """Raises Unanswerable where a number of the two means two things."""
    before, now = baseline.model, results.model
    if before.positive_class != now.positive_class or set(before.classes) != set(now.classes):
        raise Unanswerable("the baseline audit is of other classes, or another is the positive one")
    if baseline.data.synthetic != results.data.synthetic:
        raise Unanswerable("one of the two audits is of synthetic images, the other is not")


def _drop(old: Finding, new: Finding, paired: Paired | None) -> Measure:
    change = None
    if paired is not None and old.value is not None and new.value is not None:
        change = paired(old, new)
    if change is None:
        return replace(_difference(old, new, absolute=False, word="drop"), drop=True, wide=True)
    return Measure(
        what=f"drop of {described(old)}, paired",
        value=_negative(change.value),
        low=_negative(change.high),
        high=_negative(change.low),
        n=change.n,
        independent=change.independent,
        reason=change.reason,
        drop=True,
        share=True,  # what is paired case by case is a share, or an AUROC
    )


def _negative(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def _difference(one: Finding, other: Finding, *, absolute: bool, word: str = "gap") -> Measure:
    """one - other with an interval from both intervals (MOVER).

    Exact for independent groups; where the same patients stand on both sides the correlation
    is positive and the interval is wider than need be, which is the careful side.
    Source: Newcombe 1998, Stat Med 17:873, method 10; Zou & Donner 2008, Stat Med 27:1693.
    """
    value, low, high = mover(one, other)
    reason = one.reason or other.reason
    if absolute and value is not None:
        value = abs(value)
        low, high = _absolute(low, high)
    return Measure(
        what=f"{word} from {described(one)} to {described(other)}"
        if absolute
        else f"{word} of {described(one)}",
        value=value,
        low=low,
        high=high,
        n=min(one.n, other.n),
        independent=one.independent or other.independent,
        reason=reason,
        share=_is_share(one) and _is_share(other),
    )


def _absolute(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Limits of a difference as limits of its size."""
    if low is None or high is None:
        return None, None
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return nearest, max(abs(low), abs(high))


def mover(one: Finding, other: Finding) -> tuple[float | None, float | None, float | None]:
    """Difference of two values and its 95% limits; None where a part is missing or upside down.

    >>> a = Finding(metric="m", value=0.7, low=0.6, high=0.8, n=80)
    >>> b = Finding(metric="m", value=0.5, low=0.4, high=0.6, n=80)
    >>> [round(x, 3) for x in mover(a, b)]
    [0.2, 0.059, 0.341]
    """
    if one.value is None or other.value is None:
        return None, None, None
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return value, None, None
    if one.low > one.high or other.low > other.high:
        return value, None, None
    below = math.hypot(max(0.0, one.value - one.low), max(0.0, other.high - other.value))
    above = math.hypot(max(0.0, one.high - one.value), max(0.0, other.value - other.low))
    return value, value - below, value + above

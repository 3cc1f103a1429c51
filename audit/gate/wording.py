"""A rule in words, as it is printed and reported."""

from __future__ import annotations

from typing import Literal

from audit.gate.rules import Rule

LIMIT: dict[Literal["lower", "upper", "point"], str] = {
    "lower": "lower 95% limit",
    "upper": "upper 95% limit",
    "point": "value",
}


def rule_text(rule: Rule) -> str:
    """One sentence without a verb.

    >>> rule_text(Rule(id="a", metric="sensitivity", minimum=0.9, where={"view": "lateral"}))
    'sensitivity ≥ 0.9 (view lateral; judged by its lower 95% limit)'
    """
    asked = []
    if rule.minimum is not None:
        asked.append(f"≥ {rule.minimum:g}")
    if rule.maximum is not None:
        asked.append(f"≤ {rule.maximum:g}")
    if rule.max_drop is not None:
        asked.append(f"≤ {rule.max_drop:g}")
    subject = rule.metric
    if rule.gap_by:
        subject = f"gap in {rule.metric} by {rule.gap_by}"
        subject += f" between {' and '.join(rule.between)}" if rule.between else ""
    if rule.max_drop is not None:
        subject = f"drop in {rule.metric} from the baseline"
    conditions = [
        *(f"{key} {value}" for key, value in rule.where.items()),
        *([f"n at least {rule.min_n}"] if rule.min_n else []),
        _judged_by(rule),
    ]
    return f"{subject} {' and '.join(asked)} ({'; '.join(conditions)})"


def _judged_by(rule: Rule) -> str:
    if rule.bound is not None:
        return f"judged by its {LIMIT[rule.bound]}"
    if rule.minimum is not None and rule.maximum is not None:
        return "judged by both 95% limits"
    return f"judged by its {LIMIT['upper' if rule.minimum is None else 'lower']}"


def threshold_of(rule: Rule) -> float | None:
    """The one threshold of a rule; None when it has both min and max."""
    asked = [x for x in (rule.minimum, rule.maximum, rule.max_drop) if x is not None]
    return asked[0] if len(asked) == 1 else None

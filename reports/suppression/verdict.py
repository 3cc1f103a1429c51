"""The gate's verdict without numbers that the edition leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

from audit.results import Finding, Results
from reports.suppression.mark import reason
from reports.suppression.words import told_without

NUMBERS = ("observed", "low", "high", "judged", "n")


def suppressed_verdict(
    verdict: Mapping[str, Any], before: Results, after: Results, below: int
) -> dict[str, Any]:
    """verdict.json as a mapping, for results `before` and as they are shown, `after`.

    Outcomes and rules stay. A rule about a metric of which something was left out keeps its
    numbers only where they are those of a finding that is shown.
    """
    if below < 2:
        return dict(verdict)
    told = list(_findings(after))
    hidden = {f.metric for f, g in zip(_findings(before), told, strict=True) if f != g}
    shown = [f for f in told if f.value is not None]
    rules = [_rule(rule, hidden, shown, below) for rule in verdict.get("rules") or ()]
    warnings = [told_without(str(text), below) for text in verdict.get("warnings") or ()]
    return {**verdict, "rules": rules, "warnings": warnings}


def _findings(results: Results) -> Iterator[Finding]:
    yield from results.findings
    for probe in results.probes:
        yield from probe.findings


def _rule(
    rule: Mapping[str, Any], hidden: set[str], shown: list[Finding], below: int
) -> dict[str, Any]:
    said = {**rule, "reason": told_without(str(rule.get("reason") or ""), below)}
    if rule.get("metric") not in hidden or any(_same(rule, f) for f in shown):
        return said
    return {**said, **dict.fromkeys(NUMBERS), "reason": reason(below)}


def _same(rule: Mapping[str, Any], finding: Finding) -> bool:
    """Whether the finding is what the rule was judged by: metric, value and denominator."""
    observed, n = rule.get("observed"), rule.get("n")
    if rule.get("metric") != finding.metric or not isinstance(observed, int | float):
        return False
    same = isclose(abs(observed), abs(finding.value or 0.0), abs_tol=1e-9)
    return same and (n is None or n == finding.n)

"""Missed positives and false alarms per 1,000 patients, where a known share is positive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.findings.handled import ONLY_REFER
from audit.findings.measure import with_value
from audit.findings.view import View
from audit.metrics.interval import Interval
from audit.results import Finding

MISSED = "missed_per_1000"
ALARMS = "false_alarms_per_1000"
# What is read from decisions, and from a view that knows only what all attacks left standing.
DECIDED = {"sensitivity": MISSED, "specificity": ALARMS}
KEPT = {"robust_sensitivity": MISSED, "robust_specificity": ALARMS}


def harm(view: View, told: Sequence[Finding], prevalences: Sequence[float]) -> Iterator[Finding]:
    """For everyone, at each of the `prevalences`: 1000·π·(1 - sensitivity) missed and
    1000·(1 - π)·(1 - specificity) false alarms, by the deployed rule.

    `told`: the findings of this view's rates, whose intervals are scaled, so that a number has
    one interval. The worst case over attacks has no decisions: there an image counts as lost
    that any attack fooled. Groups have prevalences of their own that nobody declared; the cells
    of a map and a defence that changes no decision would only repeat.
    """
    if view.everyone_only or view.label.defence in ONLY_REFER:
        return
    named = KEPT if view.kept_only else DECIDED
    for rate in told:
        if rate.metric in named and not rate.group and rate.contrast is None:
            for share in prevalences:
                yield _scaled(rate, named[rate.metric], share)


def _scaled(rate: Finding, metric: str, share: float) -> Finding:
    start = rate.model_copy(
        update={
            "metric": metric,
            "params": {**rate.params, "prevalence": share},
            "events": None,
            "imprecise": False,
        }
    )
    if rate.value is None or rate.low is None or rate.high is None:
        return start
    scale = 1000 * (share if metric == MISSED else 1 - share)
    limits = Interval(scale * (1 - rate.high), scale * (1 - rate.low), rate.method or "")
    return with_value(start, scale * (1 - rate.value), limits, proportion=False)

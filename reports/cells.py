"""Findings as table cells: the value, and below it the interval and the counts."""

from __future__ import annotations

from audit.results import Finding
from reports.blocks import Cell
from reports.language import N_, _, recorded
from reports.numbers import amount, interval, ratio

BELOW_AREA = N_("Below an AUROC stand the positives of all images, or n.")


def rate_cell(finding: Finding | None) -> Cell:
    """ "75.4%" over "62.7–85.5% · 46/61"; without a value a dash and why."""
    if finding is None:
        return Cell("–", sub=_("not computed"))
    if finding.value is None:
        if (finding.reason or "").startswith("fewer than"):
            return Cell("–", sub=_("too few, n = {n}").format(n=finding.n))
        return Cell("–", sub=recorded(finding.reason) if finding.reason else _("not computed"))
    mark = " †" if finding.imprecise else ""
    return Cell(
        amount(finding.metric, finding.value) + mark, sub=f"{interval(finding)} · {ratio(finding)}"
    )

"""Differences as table cells: the value with its sign, and below it the interval."""

from __future__ import annotations

from audit.results import Finding
from reports.blocks import Cell
from reports.cells import rate_cell
from reports.numbers import signed, signed_interval

ALPHA = 0.05


def change_cell(finding: Finding | None, *more: str) -> Cell:
    """ "−5.6" over "−9.9 to −2.1", strong when it holds beyond chance; `more` stands behind the
    interval. Without a value a dash and why."""
    if finding is None or finding.value is None:
        return rate_cell(finding)
    told = " · ".join([signed_interval(finding), *more])
    return Cell(signed(finding.metric, finding.value), strong=beyond(finding), sub=told)


def beyond(finding: Finding) -> bool:
    """Whether a tested difference holds when all tests of its family are allowed for."""
    return finding.p_holm is not None and finding.p_holm < ALPHA

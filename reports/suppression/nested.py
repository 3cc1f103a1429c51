"""Counts that lie within one another: one less the next tells how many lie between."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from audit.results import Finding
from reports.suppression.counts import Cell, any_small
from reports.suppression.kinds import Place, group_of, settings

if TYPE_CHECKING:
    from reports.suppression.findings import Hiding


def between_cut_offs(hiding: Hiding) -> None:
    """Of the cut-offs of one view, in rising order, those so near the one before that few cases
    lie between are hidden."""
    lines: dict[Place, list[int]] = defaultdict(list)
    for number in hiding.plain:
        f = hiding.findings[number]
        if hiding.told(number) and f.events is not None and _cut_off(f) is not None:
            where = f.metric, f.stress, settings(f, "cutoff"), f.variant, f.defence, group_of(f)
            lines[where].append(number)
    for numbers in lines.values():
        last: Cell | None = None
        for number in sorted(numbers, key=lambda n: _cut_off(hiding.findings[n]) or 0.0):
            cell = _counts(hiding.findings[number])
            if last is not None and any_small(_less(last, cell), hiding.below):
                hiding.hide(number)
            else:
                last = cell


def _cut_off(finding: Finding) -> float | None:
    asked = finding.params.get("cutoff")
    known = isinstance(asked, int | float) and not isinstance(asked, bool)
    return float(asked) if known else None  # type: ignore[arg-type]


def _counts(finding: Finding) -> Cell:
    events = finding.events or 0
    return finding.n, events, finding.n - events


def _less(more: Cell, less: Cell) -> Cell:
    return tuple(a - b for a, b in zip(more, less, strict=True))

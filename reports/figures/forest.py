"""Forest plots: a point and its interval per row, metrics side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.results import Finding
from reports.figures.style import COLOURS, INK, SOFT, as_address, drawing, told_apart
from reports.language import _
from reports.numbers import left_out, ratio, reason


def forest(names: Sequence[str], panes: Mapping[str, Sequence[Finding | None]], title: str) -> str:
    """Rows `names` from the top; a pane per metric; the first row's value as a dotted line."""
    with drawing(len(panes), 1, 0.55 + 0.21 * len(names), sharey=True) as (figure, grid):
        for axes, (metric, found) in zip(grid[0], panes.items(), strict=True):
            _pane(axes, metric, found)
            axes.set_yticks(range(len(names)), told_apart(names, 36))
            axes.set_ylim(len(names) - 0.4, -0.6)
        return as_address(figure, title)


def _pane(axes: Any, metric: str, found: Sequence[Finding | None]) -> None:
    for row, f in enumerate(found):
        if f is None or f.value is None:
            words = _("too few, n = {n}").format(n=f.n if f else 0)
            if f is not None and left_out(f):
                words = reason(f)
            axes.text(2, row, words, va="center", color=SOFT, size=6.5)
            continue
        colour = COLOURS[0] if row else INK
        if f.low is not None and f.high is not None:
            axes.plot([100 * f.low, 100 * f.high], [row, row], color=colour, linewidth=1.1)
        axes.plot(100 * f.value, row, marker="o" if row else "D", color=colour)
        axes.annotate(
            ratio(f),
            (1.0, row),
            xycoords=("axes fraction", "data"),
            va="center",
            ha="left",
            xytext=(3, 0),
            textcoords="offset points",
            size=6.5,
            color=SOFT,
        )
    first = found[0] if found else None
    if first is not None and first.value is not None:
        axes.axvline(100 * first.value, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)))
    axes.set_title(metric)
    axes.set_xlim(-2, 102)
    axes.set_xticks(range(0, 101, 25), [f"{x}%" for x in range(0, 101, 25)])
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)

"""Accuracy by quartile of each measure of quality, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import Finding
from reports.figures.style import as_address, drawing, look, shorten
from reports.language import _

COLUMNS = 4


def quartiles(panes: Mapping[str, Sequence[Finding]], title: str) -> str:
    """A data: address. `panes`: measure in words -> its findings, the lowest quartile first."""
    rows = -(-len(panes) // COLUMNS)
    with drawing(COLUMNS, rows, 0.5 + 1.25 * rows, sharey=True) as (figure, grid):
        axes_of = [axes for row in grid for axes in row]
        for axes in axes_of[len(panes) :]:
            axes.set_visible(False)
        style = look(0)
        for axes, (name, found) in zip(axes_of, panes.items(), strict=False):
            x = [int(f.params["quartile"]) for f in found]
            y = [100 * (f.value or 0) for f in found]
            low = [100 * ((f.value or 0) - (f.low or 0)) for f in found]
            high = [100 * ((f.high or 0) - (f.value or 0)) for f in found]
            axes.errorbar(x, y, [low, high], elinewidth=1.0, capsize=2, **style)
            axes.set_title(shorten(name, 26))
            axes.set_xlim(0.6, 4.4)
            axes.set_xticks([1, 2, 3, 4])
            axes.yaxis.set_major_formatter(lambda value, _place: f"{value:g}%")
        axes_of[0].set_ylim(top=102)
        axes_of[0].set_xlabel(_("quartile"))
        return as_address(figure, title)

"""The rotation × translation map with its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reports.figures.matrix import LIGHT
from reports.figures.style import as_address, drawing
from reports.language import _, decimal

MOST_NUMBERED = 25


def heat(
    rows: Sequence[float],
    columns: Sequence[tuple[float, float]],
    values: Mapping[tuple[float, float, float], float],
    title: str,
) -> str:
    """Accuracy per (angle, dx, dy) as a data: address; a cell without a value stays white."""
    grid = [[values.get((a, dx, dy), math.nan) for dx, dy in columns] for a in rows]
    size = 6.2 if len(columns) <= 12 else 4.6
    with drawing(1, 1, 0.9 + 0.185 * len(rows)) as (figure, grid_axes):
        axes = grid_axes[0][0]
        shown = axes.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(columns)), [f"{_part(dx)}\n{_part(dy)}" for dx, dy in columns])
        axes.set_yticks(range(len(rows)), [f"{a:+g}°".replace("-", "−") for a in rows])
        axes.set_xlabel(_("shift across, and below it down, in % of the image"))
        axes.set_ylabel(_("rotation"))
        axes.grid(visible=False)
        axes.tick_params(length=0)
        if len(columns) <= MOST_NUMBERED:
            for y, line in enumerate(grid):
                for x, value in enumerate(line):
                    if not math.isnan(value):
                        ink = "#ffffff" if value < LIGHT else "#000000"
                        words = f"{100 * value:.0f}"
                        axes.text(x, y, words, ha="center", va="center", color=ink, fontsize=size)
        bar = figure.colorbar(shown, ax=axes, fraction=0.025, pad=0.01)
        bar.set_ticks([0, 0.5, 1], labels=["0%", "50%", "100%"])
        bar.outline.set_visible(False)
        return as_address(figure, title)


def _part(shift: float) -> str:
    return decimal(f"{100 * shift:+g}".replace("-", "−"))

"""Shares in a grid of named rows and ordered columns, with their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.figures.style import SOFT, as_address, drawing, shorten

FEWEST_COLUMNS = 3
LIGHT = 0.47  # above it black ink stands out more on cividis than white; both at 4.5 : 1


@dataclass(frozen=True)
class Row:
    """A name, a smaller line below it, shares in [0, 1] (None: not given), which one is framed."""

    name: str
    about: str
    values: Sequence[float | None]
    framed: int | None = None


def matrix(rows: Sequence[Row], axis: tuple[str, str], title: str) -> str:
    """A data: address. `axis`: what stands under the first and the last column."""
    columns = max(FEWEST_COLUMNS, *(len(row.values) for row in rows))
    grid = [
        [math.nan if value is None else value for value in row.values]
        + [math.nan] * (columns - len(row.values))
        for row in rows
    ]
    with drawing(1, 1, 0.7 + 0.255 * len(rows)) as (figure, all_axes):
        axes = all_axes[0][0]
        shown = axes.imshow(grid, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for y, row in enumerate(rows):
            _label(axes, y, row)
            _numbers(axes, y, row)
        axes.set_yticks([])
        axes.set_xticks(range(columns), [str(x + 1) for x in range(columns)])
        axes.set_xlabel(" → ".join(axis))
        axes.set_xticks([x + 0.5 for x in range(columns - 1)], minor=True)
        axes.set_yticks([y + 0.5 for y in range(len(rows) - 1)], minor=True)
        axes.grid(visible=False, which="major")
        axes.grid(which="minor", color="#ffffff", linewidth=1.2)
        axes.set_axisbelow(False)
        axes.tick_params(length=0, which="both")
        for spine in axes.spines.values():
            spine.set_visible(False)
        bar = figure.colorbar(shown, ax=axes, fraction=0.02, pad=0.01, aspect=30)
        bar.set_ticks([0, 0.5, 1], labels=["0%", "50%", "100%"])
        bar.outline.set_visible(False)
        return as_address(figure, title)


def _label(axes: Any, y: int, row: Row) -> None:
    beside = {"xycoords": ("axes fraction", "data"), "ha": "right", "textcoords": "offset points"}
    up = 3.5 if row.about else 0
    axes.annotate(shorten(row.name), (0, y), xytext=(-5, up), va="center", size=7.5, **beside)
    about = shorten(row.about, 52)
    axes.annotate(about, (0, y), xytext=(-5, -4.5), va="center", size=5.8, color=SOFT, **beside)


def _numbers(axes: Any, y: int, row: Row) -> None:
    from matplotlib.patches import Rectangle

    for x, value in enumerate(row.values):
        if value is None:
            axes.text(x, y, "–", ha="center", va="center", color=SOFT)
            continue
        ink = "#ffffff" if value < LIGHT else "#000000"
        axes.text(x, y, f"{100 * value:.0f}", ha="center", va="center", color=ink, size=7.5)
    if row.framed is not None:
        place = (row.framed - 0.47, y - 0.45)
        axes.add_patch(
            Rectangle(place, 0.94, 0.9, fill=False, edgecolor="#d55e00", linewidth=1.8, zorder=5)
        )

"""Before and after: two points per row, joined, a pane per treatment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.figures.style import SOFT, as_address, drawing, look, shorten, told_apart

Ends = tuple[float, float, bool] | None  # shares before and after; whether beyond chance


def before_after(
    names: Sequence[str],
    panes: Mapping[str, Sequence[Ends]],
    words: tuple[str, str],
    title: str,
) -> str:
    """Rows `names` from the top; per pane a circle before, a square after, hollow where the
    difference does not hold beyond chance. A data: address."""
    with drawing(len(panes), 1, 0.8 + 0.23 * len(names), sharey=True) as (figure, grid):
        handles: list[Any] = []
        for axes, (name, ends) in zip(grid[0], panes.items(), strict=True):
            handles = _pane(axes, ends) or handles
            axes.set_title(shorten(name, 66 // len(panes)))
            axes.set_xlim(-4, 104)
            axes.set_xticks(range(0, 101, 50), [f"{x}%" for x in range(0, 101, 50)])
            axes.set_ylim(len(names) - 0.4, -0.6)
            axes.set_yticks(range(len(names)), told_apart(names, 56))
            axes.grid(visible=False, axis="y")
            axes.spines["left"].set_visible(False)
        figure.legend(handles, words, loc="outside upper left", ncols=2)
        return as_address(figure, title)


def _pane(axes: Any, ends: Sequence[Ends]) -> list[Any]:
    first, second = look(0), look(1)
    handles = []
    for row, pair in enumerate(ends):
        if pair is None:
            axes.text(50, row, "–", ha="center", va="center", color=SOFT)
            continue
        before, after, beyond = 100 * pair[0], 100 * pair[1], pair[2]
        axes.plot([before, after], [row, row], color="#98a2ab", linewidth=1.1, zorder=1)
        (one,) = axes.plot(before, row, marker=first["marker"], color=first["color"], ls="")
        filling = second["color"] if beyond else "#ffffff"
        (two,) = axes.plot(
            after, row, marker=second["marker"], color=second["color"], mfc=filling, ls=""
        )
        handles = [one, two]
    return handles

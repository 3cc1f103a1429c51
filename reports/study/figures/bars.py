"""Horizontal bars with their intervals: ours, and the published value beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.figures.style import COLOURS, INK, SOFT, as_address, drawing, shorten

HATCHES = ("", "////", "....", "xxxx")


@dataclass(frozen=True)
class Bar:
    """A share and its interval, all in [0, 1]."""

    value: float
    low: float | None = None
    high: float | None = None


def bars(
    names: Sequence[str],
    series: dict[str, Sequence[Bar | None]],
    title: str,
    line: tuple[str, float] | None = None,
) -> str:
    """A group of bars per name from the top, one per series; `line` is drawn across, named."""
    thick = 0.8 / max(1, len(series))
    height = 0.75 + len(names) * (0.12 + 0.17 * len(series))
    with drawing(1, 1, height) as (figure, grid):
        axes = grid[0][0]
        handles: dict[str, Any] = {}
        for at, (word, found) in enumerate(series.items()):
            handles |= _series(axes, at, word, found, -0.4 + thick * (at + 0.5), thick)
        if line is not None:
            handles[line[0]] = axes.axvline(
                100 * line[1], color=SOFT, linewidth=0.9, linestyle=(0, (2, 2))
            )
        axes.set_yticks(range(len(names)), [shorten(name, 34) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(0, 100)
        axes.set_xticks(range(0, 101, 25), [f"{x}%" for x in range(0, 101, 25)])
        axes.set_xlabel("accuracy on the test split, in per cent of images")
        axes.grid(visible=False, axis="y")
        figure.legend(
            handles.values(), handles, loc="outside upper left", ncols=min(3, len(handles))
        )
        return as_address(figure, title)


def _series(
    axes: Any, at: int, word: str, found: Sequence[Bar | None], shift: float, thick: float
) -> dict[str, Any]:
    """One bar per name, its interval across its end, its number in the margin."""
    handles = {}
    for row, bar in enumerate(found):
        if bar is None:
            continue
        y = row + shift
        (drawn,) = axes.barh(
            y,
            100 * bar.value,
            height=0.84 * thick,
            color=COLOURS[at] if at == 0 else "#ffffff",
            edgecolor=COLOURS[at],
            hatch=HATCHES[at % len(HATCHES)],
            linewidth=0.7,
        )
        handles[word] = drawn
        if bar.low is not None and bar.high is not None:
            axes.plot([100 * bar.low, 100 * bar.high], [y, y], color=INK, linewidth=1.3)
            axes.plot([100 * bar.low, 100 * bar.high], [y, y], color=INK, marker="|", ls="")
        axes.annotate(
            f"{100 * bar.value:.1f}",
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            size=6.5,
            color=COLOURS[at],
        )
    return handles

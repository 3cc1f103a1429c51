"""Curves of a share against ε or severity, with their 95% bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.results import Finding
from reports.figures.style import (
    SOFT,
    WIDTH,
    as_address,
    columns_of,
    drawing,
    look,
    shorten,
    told_apart,
)
from reports.numbers import level

MANY = 9  # panes; more of them stand four in a row, so that one page holds them


@dataclass(frozen=True)
class Pane:
    """One set of axes: named series of findings, and horizontal lines by name.

    `axis` and `ticks`: where x is a place in a row of its own words, not shared by the panes.
    """

    title: str
    series: Mapping[str, Sequence[tuple[float, Finding]]]
    lines: Mapping[str, float]
    axis: str = ""
    ticks: Sequence[str] = ()


def curves(panes: Sequence[Pane], axis: str, title: str) -> str:
    """Panes side by side, three in a row or four of many, as a data: address.

    x keeps its order, not its scale.
    """
    many = len(panes) > MANY
    columns = 4 if many else min(3, len(panes))
    rows = -(-len(panes) // columns)
    places = sorted({x for pane in panes for points in pane.series.values() for x, _ in points})
    names = list(dict.fromkeys(name for pane in panes for name in pane.series))
    width = WIDTH if len(panes) > 1 else 0.55 * WIDTH
    tall = 1.5 if many else 1.9
    with drawing(columns, rows, 0.45 + tall * rows, width, sharey=True) as (figure, grid):
        handles: dict[str, Any] = {}
        for axes, pane in zip(grid.flat, panes, strict=False):
            mine = list(map(float, range(len(pane.ticks)))) or places
            handles |= _pane(axes, pane, mine, names)
            axes.set_xlabel(pane.axis or axis)
        for axes in list(grid.flat)[len(panes) :]:
            axes.set_visible(False)
        words = told_apart(list(handles), 36)
        figure.legend(
            handles.values(),
            words,
            loc="outside upper left",
            ncols=min(5, columns_of(words, width)),
        )
        return as_address(figure, title)


def _pane(axes: Any, pane: Pane, places: list[float], names: list[str]) -> dict[str, Any]:
    handles = {}
    for name, points in pane.series.items():
        known = [(places.index(x), f) for x, f in points if f.value is not None]
        if not known:
            continue
        at = [x for x, _ in known]
        style = look(names.index(name))
        (handles[name],) = axes.plot(at, [100 * (f.value or 0) for _, f in known], **style)
        banded = [(x, f) for x, f in known if f.low is not None and f.high is not None]
        axes.fill_between(
            [x for x, _ in banded],
            [100 * (f.low or 0) for _, f in banded],
            [100 * (f.high or 0) for _, f in banded],
            color=style["color"],
            alpha=0.13,
            linewidth=0,
        )
    for name, height in pane.lines.items():
        line = axes.axhline(100 * height, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
        handles[name] = line
    axes.set_title(shorten(pane.title, 26 if pane.ticks else 40))
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 25), [f"{y}%" for y in range(0, 101, 25)])
    axes.set_xticks(range(len(places)), pane.ticks or [level(x) for x in places])
    if pane.ticks:
        axes.tick_params(axis="x", labelsize=5.5)
    axes.grid(visible=False, axis="x")
    return handles

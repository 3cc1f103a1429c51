"""Curves of a share against ε or severity, with their 95% bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.results import Finding
from reports.figures.style import SOFT, WIDTH, as_address, drawing, look, shorten


@dataclass(frozen=True)
class Pane:
    """One set of axes: named series of findings, and horizontal lines by name."""

    title: str
    series: Mapping[str, Sequence[tuple[float, Finding]]]
    lines: Mapping[str, float]


def curves(panes: Sequence[Pane], axis: str, title: str) -> str:
    """Panes side by side, three in a row, as a data: address. x keeps its order, not its scale."""
    columns = min(3, len(panes))
    rows = -(-len(panes) // columns)
    places = sorted({x for pane in panes for points in pane.series.values() for x, _ in points})
    names = list(dict.fromkeys(name for pane in panes for name in pane.series))
    width = WIDTH if len(panes) > 1 else 0.55 * WIDTH
    with drawing(columns, rows, 0.45 + 1.9 * rows, width, sharey=True) as (figure, grid):
        handles: dict[str, Any] = {}
        for axes, pane in zip(grid.flat, panes, strict=False):
            handles |= _pane(axes, pane, places, names)
            axes.set_xlabel(axis)
        for axes in list(grid.flat)[len(panes) :]:
            axes.set_visible(False)
        figure.legend(
            handles.values(),
            [shorten(name) for name in handles],
            loc="outside upper left",
            ncols=min(5 if len(panes) > 1 else 3, max(1, len(handles))),
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
    axes.set_title(shorten(pane.title, 40))
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 25), [f"{y}%" for y in range(0, 101, 25)])
    axes.set_xticks(range(len(places)), [f"{x:g}" for x in places])
    axes.grid(visible=False, axis="x")
    return handles

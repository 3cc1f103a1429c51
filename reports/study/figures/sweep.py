"""A metric against what was varied: training-set size, or image size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.results import Finding
from reports.figures.style import SOFT, WIDTH, as_address, drawing, look, shorten
from reports.numbers import SCORES

Points = Sequence[tuple[float, Finding]]


def sweep(
    panes: Mapping[str, Mapping[str, Points]],
    axis: str,
    title: str,
    baseline: tuple[str, float] | None = None,
) -> str:
    """A pane per metric, a line with its 95% band per series; x on a logarithmic scale."""
    words = list(dict.fromkeys(word for series in panes.values() for word in series))
    places = sorted(
        {x for series in panes.values() for points in series.values() for x, _ in points}
    )
    columns = 2 if len(panes) == 4 else min(3, len(panes))
    rows = -(-len(panes) // columns)
    width = WIDTH if len(panes) > 1 else 0.6 * WIDTH
    with drawing(columns, rows, 0.6 + 2.0 * rows, width) as (figure, grid):
        handles: dict[str, Any] = {}
        for axes, (metric, series) in zip(grid.flat, panes.items(), strict=False):
            for word, points in series.items():
                handles |= {word: _line(axes, points, words.index(word))}
            if baseline is not None and metric.lower() == "accuracy":
                handles[baseline[0]] = axes.axhline(
                    baseline[1], color=SOFT, linewidth=0.8, linestyle=(0, (2, 2))
                )
            axes.set_title(metric)
            axes.set_xlabel(axis)
            _scale(axes, places, metric)
        for axes in list(grid.flat)[len(panes) :]:
            axes.set_visible(False)
        figure.legend(
            handles.values(),
            [shorten(word) for word in handles],
            loc="outside upper left",
            ncols=min(4, len(handles)),
        )
        return as_address(figure, title)


def _line(axes: Any, points: Points, at: int) -> Any:
    known = sorted(((x, f) for x, f in points if f.value is not None), key=lambda p: p[0])
    (line,) = axes.plot([x for x, _ in known], [f.value for _, f in known], **look(at))
    banded = [(x, f) for x, f in known if f.low is not None and f.high is not None]
    if len({x for x, _ in banded}) == len(banded):  # several fits at one place have no one band
        axes.fill_between(
            [x for x, _ in banded],
            [f.low for _, f in banded],
            [f.high for _, f in banded],
            color=look(at)["color"],
            alpha=0.13,
            linewidth=0,
        )
    return line


def _scale(axes: Any, places: Sequence[float], metric: str) -> None:
    if len(places) > 1 and places[0] > 0:
        axes.set_xscale("log")
    shown = places if len(places) <= 6 else places[:: -(-len(places) // 6)]
    axes.set_xticks(shown, [f"{x:g}" for x in shown])
    axes.minorticks_off()
    axes.set_ylim(-0.03, 1.03)
    score = metric.lower() in SCORES
    axes.set_yticks(
        [0, 0.25, 0.5, 0.75, 1],
        ["0", ".25", ".5", ".75", "1"] if score else ["0%", "25%", "50%", "75%", "100%"],
    )

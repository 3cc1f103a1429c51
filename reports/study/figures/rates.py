"""Learning-rate range tests: smoothed loss against rate, a pane per model and phase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from audit.study_results import RangeTest
from reports.figures.style import COLOURS, INK, as_address, drawing, look, shorten

PHASES = {"frozen": "body frozen", "all": "all layers"}


def rates(rows: Sequence[tuple[str, Sequence[RangeTest]]], title: str) -> str:
    """One row of panes per (model, tests); chosen decay drawn thick, its suggestion marked."""
    decays = sorted({test.weight_decay for _, tests in rows for test in tests}, reverse=True)
    with drawing(2, len(rows), 0.5 + 1.55 * len(rows)) as (figure, grid):
        handles: dict[str, Any] = {}
        for line, (name, tests) in zip(grid, rows, strict=True):
            for axes, (phase, words) in zip(line, PHASES.items(), strict=True):
                same = [test for test in tests if test.phase == phase]
                handles |= _pane(axes, same, decays)
                axes.set_title(f"{shorten(name, 30)}, {words}")
        for axes in grid[-1]:
            axes.set_xlabel("learning rate")
        for line in grid:
            line[0].set_ylabel("smoothed loss")
        named = sorted(handles, key=lambda word: (not word.startswith("weight"), word))
        figure.legend([handles[word] for word in named], named, loc="outside upper left", ncols=5)
        return as_address(figure, title)


def _pane(axes: Any, tests: Sequence[RangeTest], decays: Sequence[float]) -> dict[str, Any]:
    handles = {}
    for test in tests:
        losses = test.smoothed or test.losses
        points = list(zip(test.rates, losses, strict=False))
        if not points:
            continue
        style = look(decays.index(test.weight_decay))
        style.pop("marker")
        width = 1.7 if test.chosen else 0.8
        (line,) = axes.plot(*zip(*points, strict=True), **style, linewidth=width)
        handles[f"weight decay {test.weight_decay:g}"] = line
        if test.chosen and test.suggestion is not None:
            nearest = min(points, key=lambda point: abs(point[0] - (test.suggestion or 0)))
            (mark,) = axes.plot(
                *nearest, marker="D", markersize=5, color=COLOURS[1], mec=INK, mew=0.6, ls=""
            )
            handles["suggestion (chosen decay)"] = mark
    if not handles:
        axes.text(0.5, 0.5, "not run", transform=axes.transAxes, ha="center", color=INK)
        axes.set_xticks([])
        axes.set_yticks([])
        return {}
    _scales(axes, [test.smoothed or test.losses for test in tests])
    return handles


def _scales(axes: Any, losses: Sequence[Sequence[float]]) -> None:
    """Decades below; the blow-up at the end of a test would flatten what it is read for."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0e}"))
    axes.minorticks_off()
    low = min(min(values) for values in losses if values)
    start = max(values[0] for values in losses if values)
    room = max(start - low, 0.05 * abs(start), 1e-3)
    axes.set_ylim(low - 0.15 * room, start + 0.6 * room)

"""ROC and precision–recall lines with the deployed rule, and the decision curve beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit.results import Curve, Finding
from reports.figures.decision import Points, decision_pane
from reports.figures.style import SOFT, WIDTH, as_address, columns_of, drawing, look, told_apart
from reports.language import _

Limits = tuple[float, float]
HEIGHT = 2.55


@dataclass(frozen=True)
class Line:
    """A named line; `cross`: 95% limits of the deployed rule along x and along y."""

    name: str
    curve: Curve
    cross: tuple[Limits, Limits] | None = None


@dataclass(frozen=True)
class Benefit:
    """Net benefit by threshold, of the model and of acting on everyone."""

    model: Points
    everyone: Points


def performance(
    roc: Sequence[Line], precision: Sequence[Line], benefit: Benefit | None, title: str
) -> str:
    """A data: address: a pane each for what is there. `precision` lines are those of `roc`."""
    panes = [bool(roc), bool(precision), benefit is not None]
    width = WIDTH if sum(panes) > 1 else 0.55 * WIDTH
    with drawing(sum(panes), 1, HEIGHT, width) as (figure, grid):
        axes = iter(grid[0])
        handles: dict[str, Any] = {}
        if roc:
            handles = _roc(next(axes), roc)
        if precision:
            _precision(next(axes), precision)
        if benefit is not None:
            decision_pane(next(axes), benefit.model, benefit.everyone)
        if handles:
            words = told_apart(list(handles), 44)
            figure.legend(
                handles.values(),
                words,
                loc="outside upper left",
                ncols=min(3, columns_of(words, width)),
            )
        return as_address(figure, title)


def _roc(axes: Any, lines: Sequence[Line]) -> dict[str, Any]:
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)))
    handles = _lines(axes, lines)
    axes.set_title("ROC")
    axes.set_xlabel(_("False alarms (1 − specificity)"))
    axes.set_ylabel(_("Sensitivity"))
    return handles


def _precision(axes: Any, lines: Sequence[Line]) -> None:
    first = lines[0].curve
    share = first.events / first.n
    axes.axhline(share, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)))
    _lines(axes, lines)
    axes.set_title(_("Precision and recall"))
    axes.set_xlabel(_("Sensitivity (recall)"))
    axes.set_ylabel(_("Precision in this set"))


def _lines(axes: Any, lines: Sequence[Line]) -> dict[str, Any]:
    """Lines, and on each the point of the deployed rule, with its limits where known."""
    handles = {}
    for number, line in enumerate(lines):
        style = look(number)
        (handles[line.name],) = axes.plot(
            line.curve.x, line.curve.y, **style, markevery=0.17, markersize=3
        )
        if line.curve.at is None:
            continue
        x, y = line.curve.at
        if line.cross is not None:
            across, up = line.cross
            axes.plot(across, [y, y], color=style["color"], linewidth=1)
            axes.plot([x, x], up, color=style["color"], linewidth=1)
        axes.plot(
            x, y, marker=style["marker"], color=style["color"], markersize=7,
            markerfacecolor="white", markeredgewidth=1.4, zorder=5, clip_on=False,
        )  # fmt: skip
    ticks = [0, 0.25, 0.5, 0.75, 1]
    for set_limits, set_ticks in (
        (axes.set_xlim, axes.set_xticks),
        (axes.set_ylim, axes.set_yticks),
    ):
        set_limits(-0.03, 1.03)
        set_ticks(ticks, ["0%", "25%", "50%", "75%", "100%"])
    return handles


def cross(
    along_x: Finding | None, along_y: Finding | None, *, turned: bool = False
) -> tuple[Limits, Limits] | None:
    """The limits of two rates as a cross; `turned`: x is 1 minus its rate. None without both."""
    if along_x is None or along_y is None:
        return None
    ends = (along_x.low, along_x.high, along_y.low, along_y.high)
    if None in ends:
        return None
    left, right, low, high = (float(end or 0.0) for end in ends)
    return ((1 - right, 1 - left) if turned else (left, right)), (low, high)

"""Whether scores are probabilities, and how often the surest cases are wrong: one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.results import Finding
from reports.figures.risk import Risk, risk_pane
from reports.figures.style import INSIDE, SOFT, WIDTH, as_address, drawing, look, shorten
from reports.language import _

Points = Sequence[tuple[float, Finding]]
HEIGHT = 2.9


def trust(series: Mapping[str, Points], risk: Risk | None, title: str) -> str:
    """A data: address: the reliability diagram and, beside it, risk against coverage.

    `series`: by name, (mean probability of a bin, share of positives in it). The first has its
    intervals drawn and, below, how many cases each of its bins has.
    """
    panes = int(bool(series)) + int(risk is not None)
    wide = {"height_ratios": (4, 1)} if series else {}
    width = WIDTH if panes > 1 else 0.55 * WIDTH
    with drawing(panes, 2 if series else 1, HEIGHT, width, **wide) as (figure, grid):
        if series:
            _reliability(grid[0][0], grid[1][0], series)
        if risk is not None:
            axes = grid[0][-1]
            if series:  # it takes the height of both rows
                place = axes.get_subplotspec().get_gridspec()[:, -1]
                grid[1][-1].remove()
                axes.remove()
                axes = figure.add_subplot(place)
            risk_pane(axes, risk)
        return as_address(figure, title)


def _reliability(axes: Any, below: Any, series: Mapping[str, Points]) -> None:
    right = axes.plot([0, 100], [0, 100], color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
    handles, words = list(right), [_("as the score says")]
    for number, (name, points) in enumerate(series.items()):
        style = look(number)
        at = [100 * x for x, _f in points]
        handles += axes.plot(at, [100 * (f.value or 0) for _x, f in points], **style)
        words.append(shorten(name, 40))
        if number == 0:
            _intervals(axes, points, style["color"])
            below.bar(at, [f.n for _x, f in points], width=1.2, color=style["color"])
    axes.set_xlim(-2, 102)
    below.set_xlim(-2, 102)
    axes.set_ylim(-2, 102)
    axes.tick_params(labelbottom=False)
    for scale in (axes.yaxis, below.xaxis):
        scale.set_major_formatter(lambda y, _place: f"{y:g}%")
    axes.set_title(_("Reliability"))
    axes.set_ylabel(_("Positive among these"))
    below.set_ylabel(_("Cases"))
    below.set_xlabel(_("Mean probability of the bin"))
    axes.legend(handles, words, fontsize=6, **INSIDE)


def _intervals(axes: Any, points: Points, color: str) -> None:
    banded = [(x, f) for x, f in points if f.low is not None and f.high is not None]
    axes.vlines(
        [100 * x for x, _f in banded],
        [100 * (f.low or 0) for _x, f in banded],
        [100 * (f.high or 0) for _x, f in banded],
        color=color,
        linewidth=0.9,
        alpha=0.5,
    )

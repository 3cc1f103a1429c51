"""The decision curve: net benefit of the model, of acting on everyone, and of acting on no one."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.figures.style import SOFT, WIDTH, as_address, drawing, look

Curve = Sequence[tuple[float, Finding]]


def decision(curves: Sequence[tuple[str, Curve, Curve]], title: str) -> str:
    """A data: address. `curves`: a panel each: heading, model and everyone by threshold.

    The vertical axis ends at the share of positives, which no net benefit exceeds, and starts a
    little below 0: how bad acting on everyone is far from its use would flatten all else.
    """
    with drawing(len(curves), 1, 2.4, WIDTH if len(curves) > 1 else 0.6 * WIDTH) as (figure, grid):
        handles = []
        for axes, (heading, model, everyone) in zip(grid[0], curves, strict=True):
            style = look(0)
            handles = axes.plot([x for x, _ in model], [f.value for _, f in model], **style)
            axes.fill_between(
                [x for x, _ in model],
                [f.low for _, f in model],
                [f.high for _, f in model],
                color=style["color"],
                alpha=0.13,
                linewidth=0,
            )
            plain = look(1)
            handles += axes.plot([x for x, _ in everyone], [f.value for _, f in everyone], **plain)
            handles.append(axes.axhline(0, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2))))
            most = _most(everyone)
            axes.set_ylim(-0.5 * most, 1.1 * most)
            axes.set_title(heading)
            axes.set_xlabel("Threshold of probability to act at")
            axes.set_ylabel("Net benefit")
        words = ["the model, with its 95% band", "act on everyone", "act on no one"]
        figure.legend(handles, words, loc="outside upper left", ncols=3)
        return as_address(figure, title)


def _most(everyone: Curve) -> float:
    """The share of positives, from the net benefit of acting on everyone at one threshold."""
    at, found = everyone[0]
    odds = at / (1 - at)
    return ((found.value or 0.0) + odds) / (1 + odds)

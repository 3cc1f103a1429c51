"""A forest of differences: NEW − BASE with its interval, a pane per metric, 0 in the middle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.compare.results import Answer, Difference
from reports.figures.style import COLOURS, SOFT, as_address, drawing, shorten
from reports.language import _
from reports.numbers import SCORES, metric_name, sentence, signed

# Colour, marker and line together say on which side of 0 the interval lies.
LOOKS: dict[Answer, tuple[str, str, Any]] = {
    "worse": (COLOURS[1], "s", "-"),
    "better": (COLOURS[2], "^", "-"),
    "no difference shown": (COLOURS[0], "o", (0, (3, 1.5))),
}
ROW = 0.21  # inches
LEAST = 0.05  # half of the narrowest axis


def forest(
    names: Sequence[str], panes: Mapping[str, Sequence[Difference | None]], title: str
) -> str:
    """Rows `names` from the top, a pane per metric, as a data: address."""
    with drawing(len(panes), 1, 0.8 + ROW * len(names), sharey=True) as (figure, grid):
        handles: dict[Answer, Any] = {}
        for axes, (metric, found) in zip(grid[0], panes.items(), strict=True):
            handles |= _pane(axes, metric, found)
            axes.set_yticks(range(len(names)), [shorten(name) for name in names])
            axes.set_ylim(len(names) - 0.4, -0.6)
        words = {
            "worse": _("interval on the worse side"),
            "better": _("interval on the better side"),
            "no difference shown": _("interval includes 0"),
        }
        known = [answer for answer in LOOKS if answer in handles]
        if known:
            figure.legend(
                [handles[answer] for answer in known],
                [words[answer] for answer in known],
                loc="outside upper left",
                ncols=len(known),
            )
        return as_address(figure, title)


def _pane(axes: Any, metric: str, found: Sequence[Difference | None]) -> dict[Answer, Any]:
    handles: dict[Answer, Any] = {}
    unit = 1 if metric in SCORES else 100
    reach = max([LEAST, *(abs(x) for d in found if d for x in (d.low, d.high) if x is not None)])
    for row, d in enumerate(found):
        if d is None or d.value is None or d.low is None or d.high is None:
            few = _("too few, n = {n}").format(n=d.n if d else 0)
            axes.text(0, row, few, va="center", ha="center", color=SOFT, size=6.5)
            continue
        colour, marker, line = LOOKS[d.verdict if d.verdict in LOOKS else "no difference shown"]
        axes.plot(
            [unit * d.low, unit * d.high], [row, row], color=colour, linewidth=1.1, linestyle=line
        )
        (handles[d.verdict],) = axes.plot(
            unit * d.value,
            row,
            marker=marker,
            linestyle="",
            color=colour,
            markerfacecolor=colour if d.shown else "#ffffff",
        )
    axes.axvline(0, color=SOFT, linewidth=0.8)
    axes.set_xlim(-1.08 * unit * reach, 1.08 * unit * reach)
    ends = [x * reach for x in (-1, -0.5, 0, 0.5, 1)]
    axes.set_xticks([unit * x for x in ends], [signed(metric, x) if x else "0" for x in ends])
    axes.set_title(sentence(metric_name(metric)))
    axes.set_xlabel(_("New − Base") if metric in SCORES else _("New − Base, points"))
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    return handles

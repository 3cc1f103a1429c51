"""The risk-coverage curve: how often the surest cases are wrong, and where cut-offs lie on it."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.figures.style import COLOURS, SOFT, WIDTH, as_address, drawing, look


def risk_coverage(
    curve: Sequence[tuple[float, Finding]],
    cut_offs: Sequence[tuple[float, float, float]],
    headline: float,
    title: str,
) -> str:
    """A data: address. `curve`: (coverage, share wrong) with bands.

    `cut_offs`: (cut-off, share handled alone, share wrong of it); `headline` gets a line.
    """
    known = [(x, f) for x, f in curve if f.value is not None]
    banded = [(x, f) for x, f in known if f.low is not None and f.high is not None]
    with drawing(1, 1, 2.5, 0.72 * WIDTH) as (figure, grid):
        axes = grid[0][0]
        style = look(0)
        handles = axes.plot(
            [100 * x for x, _ in known], [100 * (f.value or 0) for _, f in known], **style
        )
        axes.fill_between(
            [100 * x for x, _ in banded],
            [100 * (f.low or 0) for _, f in banded],
            [100 * (f.high or 0) for _, f in banded],
            color=style["color"],
            alpha=0.13,
            linewidth=0,
        )
        words = ["share wrong of the surest cases"]
        if cut_offs:
            dots = axes.plot(
                [100 * x for _, x, _ in cut_offs],
                [100 * y for _, _, y in cut_offs],
                color=COLOURS[1],
                marker="s",
                linestyle="",
            )
            handles, words = [*handles, *dots], [*words, "cut-offs of the table"]
        for cutoff, x, _ in cut_offs:
            if cutoff == headline:
                line = axes.axvline(100 * x, color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
                handles, words = [*handles, line], [*words, f"cut-off {headline:.1%}"]
        axes.set_xlim(0, 102)
        axes.set_ylim(bottom=-0.5)
        axes.set_xticks(range(0, 101, 20), [f"{x}%" for x in range(0, 101, 20)])
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}%")
        axes.set_xlabel("Handled alone, the surest first")
        axes.set_ylabel("Wrong among these")
        figure.legend(handles, words, loc="outside upper left", ncols=3)
        return as_address(figure, title)

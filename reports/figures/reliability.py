"""The reliability diagram: the share of positives against the probability, and how many cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import Finding
from reports.figures.style import SOFT, WIDTH, as_address, drawing, look, shorten

Points = Sequence[tuple[float, Finding]]


def reliability(series: Mapping[str, Points], title: str) -> str:
    """A data: address. `series`: by name, (mean probability of a bin, share of positives in it).

    The first series has its intervals drawn. Below, how many cases each of its bins has.
    """
    with drawing(1, 2, 3.6, 0.62 * WIDTH, height_ratios=(4, 1), sharex=True) as (figure, grid):
        axes, below = grid[0][0], grid[1][0]
        right = axes.plot([0, 100], [0, 100], color=SOFT, linewidth=0.8, linestyle=(0, (2, 2)))
        handles, words = list(right), ["as the score says"]
        for number, (name, points) in enumerate(series.items()):
            style = look(number)
            known = [(100 * x, f) for x, f in points if f.value is not None]
            handles += axes.plot(
                [x for x, _ in known], [100 * (f.value or 0) for _, f in known], **style
            )
            words.append(shorten(name, 40))
            if number == 0:
                banded = [(x, f) for x, f in known if f.low is not None and f.high is not None]
                axes.vlines(
                    [x for x, _ in banded],
                    [100 * (f.low or 0) for _, f in banded],
                    [100 * (f.high or 0) for _, f in banded],
                    color=style["color"],
                    linewidth=0.9,
                    alpha=0.5,
                )
                counts = [f.n for _, f in known]
                below.bar([x for x, _ in known], counts, width=1.2, color=style["color"])
        axes.set_xlim(-2, 102)
        axes.set_ylim(-2, 102)
        for scale in (axes.yaxis, below.xaxis):
            scale.set_major_formatter(lambda y, _: f"{y:g}%")
        axes.set_ylabel("Positive among these")
        below.set_ylabel("Cases")
        below.set_xlabel("Mean probability of the bin")
        figure.legend(handles, words, loc="outside upper left", ncols=2)
        return as_address(figure, title)

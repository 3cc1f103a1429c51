"""Success of a search against the queries it may spend on each image."""

from __future__ import annotations

from collections.abc import Mapping

from audit.results import Curve
from reports.figures.style import WIDTH, as_address, columns_of, drawing, look, told_apart
from reports.language import _

FIRST = 1.0  # of a query there is no part: the axis begins at one


def success_by_queries(lines: Mapping[str, Curve], title: str) -> str:
    """A data: address. `lines`: name -> curve of kind "success by queries"; x on a log scale."""
    with drawing(1, 1, 2.3) as (figure, grid):
        axes = grid[0][0]
        handles = []
        for index, curve in enumerate(lines.values()):
            style = look(index)
            x = [max(FIRST, at) for at in curve.x]
            y = [100 * share for share in curve.y]
            (handle,) = axes.plot(x, y, markevery=max(1, len(x) // 6), **style)
            handles.append(handle)
        axes.set_xscale("log")
        axes.set_xlim(left=FIRST)
        axes.xaxis.set_major_formatter(lambda x, _place: f"{x:,.0f}".replace(",", "\u202f"))
        axes.xaxis.set_minor_formatter(lambda _x, _place: "")
        axes.set_ylim(-3, 103)
        axes.set_yticks(range(0, 101, 25), [f"{y}%" for y in range(0, 101, 25)])
        axes.set_xlabel(_("queries per image, at most"))
        axes.set_ylabel(_("fooled, of the images attacked"))
        names = told_apart(list(lines), 60)
        figure.legend(
            handles, names, loc="outside upper left", ncols=min(3, columns_of(names, WIDTH))
        )
        return as_address(figure, title)

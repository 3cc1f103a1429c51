"""AUROCs with their limits, a row each, beside the line of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import Finding
from reports.figures.style import SOFT, as_address, drawing, look, told_apart
from reports.language import _, decimal


def areas(names: Sequence[str], series: Mapping[str, Sequence[Finding | None]], title: str) -> str:
    """Rows `names` from the top; per series a marker; ½, what guessing reaches, as a line."""
    with drawing(1, 1, 0.7 + 0.26 * len(names)) as (figure, grid):
        axes, handles = grid[0][0], []
        for place, found in enumerate(series.values()):
            style = look(place)
            shift = (place - (len(series) - 1) / 2) * 0.26
            for row, f in enumerate(found):
                if f is None or f.value is None:
                    continue
                if f.low is not None and f.high is not None:
                    limits = [f.low, f.high]
                    axes.plot(limits, [row + shift] * 2, color=style["color"], linewidth=1.1)
                axes.plot(f.value, row + shift, color=style["color"], marker=style["marker"], ls="")
            handles += axes.plot([], [], color=style["color"], marker=style["marker"], ls="")
        axes.axvline(0.5, color=SOFT, linewidth=0.7, linestyle=(0, (2, 2)))
        axes.set_yticks(range(len(names)), told_apart(names, 36))
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", *map(decimal, (".25", ".5", ".75")), "1"])
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(_("AUROC (dotted: chance)"))
        figure.legend(handles, list(series), loc="outside upper left", ncols=len(series))
        return as_address(figure, title)

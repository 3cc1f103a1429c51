"""From files to cases: boxes one below the other, and beside them what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.figures.style import COLOURS, INK, SOFT, as_address, drawing, shorten

HEIGHT, GAP = 0.62, 0.34  # of a box and between two, in units of the vertical axis
LEFT, MIDDLE = 0.44, 0.5  # where boxes at the side begin, and the middle box ends


@dataclass(frozen=True)
class Step:
    """A box: what it is and how many; `out`: lines beside the arrow that leads to the next."""

    words: str
    count: str
    out: Sequence[str] = ()


def flow(steps: Sequence[Step], ends: Sequence[Step], title: str) -> str:
    """A data: address. `ends`: boxes side by side below the last step."""
    rows = len(steps) + bool(ends)
    with drawing(1, 1, 0.15 + 0.56 * rows) as (figure, grid):
        axes = grid[0][0]
        axes.axis("off")
        axes.set_xlim(0, 1)
        axes.set_ylim(-rows * (HEIGHT + GAP) + GAP, 0.02)
        for place, step in enumerate(steps):
            top = -place * (HEIGHT + GAP)
            _box(axes, (0.02, top), 0.34, step, COLOURS[0])
            if place + 1 < rows:
                _arrow(axes, (0.19, top - HEIGHT), (0.19, top - HEIGHT - GAP))
            if step.out:
                _aside(axes, top - HEIGHT - GAP / 2, step.out)
        width = 0.96 / max(1, len(ends))
        for place, end in enumerate(ends):
            left = 0.02 + place * width
            _box(axes, (left, -len(steps) * (HEIGHT + GAP)), width - 0.02, end, COLOURS[2])
        return as_address(figure, title)


def _box(axes: Any, corner: tuple[float, float], width: float, step: Step, colour: str) -> None:
    from matplotlib.patches import Rectangle

    x, top = corner
    box = Rectangle((x, top - HEIGHT), width, HEIGHT, fill=False, edgecolor=colour, linewidth=1.0)
    axes.add_patch(box)
    room = max(8, int(width * 92))
    for text, down, size in ((step.words, 0.2, None), (step.count, 0.44, 8.5)):
        said = shorten(text, room), {"color": INK, "ha": "center", "fontsize": size}
        _write(axes, (x + width / 2, top - down), width, *said)


def _write(
    axes: Any, place: tuple[float, float], width: float, text: str, style: dict[str, Any]
) -> None:
    """Wide letters may need more room than `width`, a part of the figure's: the text is cut then,
    and the drawing does not shrink for it."""
    written = axes.text(*place, text, va="center", **style)
    written.set_in_layout(False)
    asked, there = written.get_window_extent().width, width * axes.figure.bbox.width
    if asked > there:
        lines = text.split("\n")
        most = max(4, int(max(map(len, lines)) * there / asked) - 1)
        written.set_text("\n".join(shorten(line, most) for line in lines))


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": SOFT, "linewidth": 0.9})


def _aside(axes: Any, height: float, lines: Sequence[str]) -> None:
    _arrow(axes, (0.19, height), (LEFT - 0.01, height))
    text = "\n".join(shorten(line, 84) for line in lines)
    _write(axes, (LEFT, height), 1 - LEFT, text, {"color": SOFT, "ha": "left", "linespacing": 1.35})

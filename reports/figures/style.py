"""How every picture looks, and how it becomes one data: address."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from warnings import catch_warnings, filterwarnings

from reports.fonts import font_files

# Okabe and Ito's palette, black last; always together with a marker and a line style.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
# A legend among the lines: where they leave most room, and readable where they leave none.
INSIDE: dict[str, Any] = {
    "loc": "best", "frameon": True, "facecolor": "#ffffff", "framealpha": 0.85,
    "edgecolor": "none", "borderpad": 0.2,
}  # fmt: skip
INK = "#16202a"
SOFT = "#55616d"
WIDTH = 6.5  # inches of the text block on A4
SAMPLE, LETTER = 0.5, 0.054  # inches of a legend: the sample of a line and its gaps, and a letter


def look(index: int) -> dict[str, Any]:
    """Colour, marker and line style of the index-th series."""
    i = index % len(COLOURS)
    return {"color": COLOURS[i], "marker": MARKERS[i], "linestyle": LINES[i]}


@cache
def _register_fonts() -> None:
    from matplotlib import font_manager

    for path in font_files():
        font_manager.fontManager.addfont(str(path))


@contextmanager
def drawing(
    columns: int, rows: int, height: float, width: float = WIDTH, **rest: Any
) -> Iterator[tuple[Any, Any]]:
    """A figure and its axes (always a 2-D array) in the report's style; closed afterwards."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    _register_fonts()
    with rc_context(_rules()), catch_warnings():
        # A name in a script that no bundled font has is drawn as boxes; the table has the name.
        filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure, figure.subplots(rows, columns, squeeze=False, **rest)


def _rules() -> dict[str, Any]:
    return {
        "font.family": ["Inter", "DejaVu Sans"],
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.facecolor": "none",
        "font.size": 7.5,
        "axes.titlesize": 8.5,
        "axes.titlelocation": "left",
        "axes.labelsize": 7.5,
        "axes.labelcolor": SOFT,
        "axes.edgecolor": "#98a2ab",
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e3e7ea",
        "grid.linewidth": 0.5,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "xtick.major.size": 2.5,
        "ytick.major.size": 0,
        "lines.linewidth": 1.3,
        "lines.markersize": 3.6,
        "legend.frameon": False,
        "legend.fontsize": 7,
        "text.color": INK,
        "svg.fonttype": "path",
        "svg.hashsalt": "hipaudit",
        "text.parse_math": False,
    }


def as_address(figure: Any, title: str) -> str:
    """The figure as a data: address of an SVG without date, script or font."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>", "", stream.getvalue(), flags=re.DOTALL)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.strip().encode()).decode()


def shorten(text: str, most: int = 28) -> str:
    """Names from the data may be of any length; a picture has room for this much."""
    return text if len(text) <= most else text[: most - 1] + "…"


def told_apart(names: Sequence[str], most: int = 28) -> list[str]:
    """The names shortened; in the middle, where names that start alike would all look alike.

    >>> told_apart(["hospital north, ward 1", "hospital north, ward 2"], 15)
    ['hospita… ward 1', 'hospita… ward 2']
    """
    short = [shorten(name, most) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    end = (most - 1) // 2
    return [n if len(n) <= most else f"{n[: most - 1 - end]}…{n[-end:]}" for n in names]


def columns_of(names: Sequence[str], width: float) -> int:
    """How many columns a legend of these names may have in a figure `width` inches wide."""
    for columns in range(len(names), 1, -1):
        rows = -(-len(names) // columns)  # a legend fills its columns one after the other
        longest = [max(map(len, names[at : at + rows])) for at in range(0, len(names), rows)]
        if sum(SAMPLE + LETTER * letters for letters in longest) <= width:
            return columns
    return 1

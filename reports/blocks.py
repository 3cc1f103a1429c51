"""What a panel is made of: plain text, tables and pictures. Templates alone turn it into HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

MOST_ROWS_TOGETHER, MOST_LETTERS_TOGETHER = 7, 700  # letters: of each row's longest cell
Mark = Literal["pass", "fail", "inconclusive", "waived", "off", "not run"]


@dataclass(frozen=True)
class Cell:
    """Text with a status mark before it, or with a small second line."""

    text: str
    mark: Mark | None = None
    strong: bool = False
    sub: str = ""


@dataclass(frozen=True)
class Text:
    """A paragraph; `head` stands in bold before it; `level` colours nothing, it names."""

    text: str
    head: str = ""


@dataclass(frozen=True)
class Items:
    items: Sequence[str]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """`columns` are headings; `numeric` columns are set flush right.

    `widths`: per cent of the width, per column. `source`: the letter printed in the margin.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    note: str = ""
    numeric: frozenset[int] = frozenset()
    widths: Sequence[int] = ()
    source: str = "A"

    @property
    def short(self) -> bool:
        """Whether it is kept on one page; a tall one would leave the page before it empty."""
        cells = [[c if isinstance(c, str) else c.text + c.sub for c in row] for row in self.rows]
        letters = sum(max(map(len, row), default=0) for row in cells)
        return len(self.rows) <= MOST_ROWS_TOGETHER and letters <= MOST_LETTERS_TOGETHER


@dataclass(frozen=True)
class Figure:
    """A picture as a data: address, with its alternative text and caption.

    `data`: what the HTML companion's script may ask of it (outcome, view, ε), names to words.
    `screen_only`: shown in the HTML edition, left out of the PDF.
    """

    source: str
    alt: str
    caption: str
    width: Literal["full", "half", "quarter", "sixth"] = "full"
    data: Mapping[str, str] = field(default_factory=dict)
    screen_only: bool = False


@dataclass(frozen=True)
class Page:
    """Paragraphs in larger type on a page of their own."""

    title: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Gallery:
    """Pictures under a heading, e.g. false negatives, frontal.

    `use`: what the HTML companion does with them: "filter" by outcome and view, or a "slider"
    over those that carry a `step`. Without a script all stand side by side.
    """

    title: str
    pictures: Sequence[Figure]
    note: str = ""
    use: Literal["", "filter", "slider"] = ""


Block = Text | Items | Table | Figure | Gallery | Page

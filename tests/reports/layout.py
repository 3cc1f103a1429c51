"""A report laid out on paper, asked for what a reader would see: WeasyPrint's own boxes.

Positions are in CSS pixels (96 per inch) from the page's upper left corner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

HEADINGS = {"h1", "h2", "h3", "caption"}
SLACK = 1.0  # pixels that rounding may cost


@dataclass(frozen=True)
class Mark:
    """A line of text or a picture: where it stands, and whether it belongs to a heading."""

    left: float
    top: float
    right: float
    bottom: float
    words: str
    heading: bool

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True)
class Sheet:
    """One page: the room for its text, and what stands there."""

    number: int
    left: float
    top: float
    right: float
    bottom: float
    marks: tuple[Mark, ...]

    @property
    def outside(self) -> list[str]:
        """What stands beyond the room for text."""
        return [
            mark.words
            for mark in self.marks
            if mark.right > self.right + SLACK or mark.bottom > self.bottom + SLACK
        ]

    @property
    def lone_headings(self) -> list[str]:
        """Headings with nothing below them."""
        rest = max((mark.bottom for mark in self.marks if not mark.heading), default=0.0)
        return [mark.words for mark in self.marks if mark.heading and mark.top >= rest]

    @property
    def filled(self) -> float:
        """Share of the room that text and pictures cover."""
        room = (self.right - self.left) * (self.bottom - self.top)
        return sum(mark.area for mark in self.marks) / room

    @property
    def text(self) -> str:
        return " ".join(" ".join(mark.words for mark in self.marks).split())


def laid_out(html: str) -> list[Sheet]:
    """Every page of a report made with `for_pdf=True`."""
    from weasyprint import HTML

    document = HTML(string=html).render()
    return [_sheet(number, page._page_box) for number, page in enumerate(document.pages, start=1)]


def _sheet(number: int, page: Any) -> Sheet:
    left, top = page.content_box_x(), page.content_box_y()
    marks = tuple(_marks(page, False, float("inf")))
    return Sheet(number, left, top, left + page.width, top + page.height, marks)


def _marks(box: Any, heading: bool, cut: float) -> Iterator[Mark]:
    """Lines of text and pictures below a box; running heads and feet (margin boxes) left out.

    What a box with hidden overflow cuts off (at `cut`, with an ellipsis) is not there.
    """
    for child in getattr(box, "all_children", tuple)():
        kind = type(child).__name__
        if kind == "MarginBox":
            continue
        within = heading or child.element_tag in HEADINGS
        edge = cut
        if child.style["overflow"] != "visible":
            edge = min(cut, child.content_box_x() + child.width)
        if kind == "TextBox" or "Replaced" in kind:
            yield _mark(child, within, edge)
        else:
            yield from _marks(child, within, edge)


def _mark(box: Any, heading: bool, cut: float) -> Mark:
    words = getattr(box, "text", "") or f"<{box.element_tag}>"
    right, bottom = min(cut, box.position_x + box.width), box.position_y + box.height
    return Mark(box.position_x, box.position_y, right, bottom, words, heading)

"""Reading a rendered report with the standard library's own parser: an independent witness."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

NO_TEXT = {"style", "script"}
VOID = {"meta", "img", "br", "link", "input", "hr", "base"}


@dataclass
class Page:
    """Every element as (tag, attributes), and the text outside style and script."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def tags(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == name]


def read_page(html: str) -> Page:
    page = Page()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            page.elements.append((tag, {name: value or "" for name, value in attrs}))
            if tag not in VOID:
                page.unclosed.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert page.unclosed[-1:] == [tag], f"</{tag}> closes {page.unclosed[-1:]}"
            page.unclosed.pop()

        def handle_data(self, data: str) -> None:
            if not NO_TEXT & set(page.unclosed):
                page.words.append(data)

    Reader().feed(html)
    return page

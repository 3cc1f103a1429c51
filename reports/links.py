"""Links from "section 5" to section 5, wherever a fixed text of the report says so."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

_POINT = re.compile(r"(?<!\S)\S{0,14}?(?<!\w)\.\d\S{0,14}(?!\S)")
_PLACE = re.compile(r"\b(?:section|hoofdstuk) (\d{1,2})\b", re.IGNORECASE)


def linked(text: str, sections: Mapping[int, str]) -> Markup:
    """The text, escaped, with every section it names as a link; numbers without one stay words.
    A number like .5 is kept on one line, where a line might end after its point.

    >>> str(linked("a < b, section 5", {5: "calibration"}))
    'a &lt; b, <a href="#calibration">section 5</a>'
    >>> str(linked("from .05 to .9.", {}))
    'from <span class="whole">.05</span> to <span class="whole">.9.</span>'
    """

    def link(found: re.Match[str]) -> str:
        place = sections.get(int(found[1]))
        return f'<a href="#{place}">{found[0]}</a>' if place else found[0]

    kept = _POINT.sub(r'<span class="whole">\g<0></span>', str(escape(text)))
    return Markup(_PLACE.sub(link, kept))  # noqa: S704  # escaped, then our own ids

"""Links from "section 5" to section 5, wherever a fixed text of the report says so."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

_PLACE = re.compile(r"\b(?:section|hoofdstuk) (\d{1,2})\b", re.IGNORECASE)


def linked(text: str, sections: Mapping[int, str]) -> Markup:
    """The text, escaped, with every section it names as a link; numbers without one stay words.

    >>> str(linked("a < b, section 5", {5: "calibration"}))
    'a &lt; b, <a href="#calibration">section 5</a>'
    """

    def link(found: re.Match[str]) -> str:
        place = sections.get(int(found[1]))
        return f'<a href="#{place}">{found[0]}</a>' if place else found[0]

    return Markup(_PLACE.sub(link, str(escape(text))))  # noqa: S704  # escaped, then our own ids

"""audit.json, verdict.json, card.yaml and artefacts to one HTML file; no model is opened."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from audit.results import Results
from reports import companion
from reports.card import Card
from reports.edition import ENGLISH, Edition
from reports.fonts import font_css
from reports.language import _, ngettext, recorded, speaking, spoken
from reports.law import law_as_at
from reports.links import linked
from reports.material import Material
from reports.numbers import blocks_of
from reports.outline import outline
from reports.sections import chapters
from reports.summary import summary
from reports.verdict import read_verdict
from reports.wording import FOOTER, NOT_SUPPLIED, clause

_CONTROLS = [*range(9), 11, 12, *range(14, 32), *range(127, 160)]
_TURNS = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_UNPRINTABLE = dict.fromkeys([*_CONTROLS, *_TURNS])


def render_html(
    results: Results,
    folder: Path,
    *,
    card: Card | None = None,
    verdict: Mapping[str, Any] | None = None,
    edition: Edition = ENGLISH,
    for_pdf: bool = False,
) -> str:
    """The report as one HTML file that needs no network, and no script to be read.

    `folder`: where the artefacts of `results` lie. `for_pdf`: pages, running heads and a table of
    contents with page numbers.
    """
    material = Material(
        results=results,
        folder=folder,
        card=card or Card(),
        judgement=read_verdict(verdict),
        edition=edition,
    )
    with speaking(edition.language):
        page = environment().get_template("report.html.j2")
        return page.render(
            m=material,
            r=results,
            card=material.card,
            summary=summary(material),
            chapters=chapters(material),
            for_pdf=for_pdf,
            companion=companion,
            footer=_(FOOTER),
            not_supplied=_(NOT_SUPPLIED),
            law_as_at=law_as_at(),
            hash_blocks=blocks_of,
            section_ids={section.number: section.id for section in outline()},
            css=style(for_pdf, results.data.synthetic),
        )


@cache
def environment() -> Environment:
    """Jinja as the report needs it: everything escaped, nothing undefined."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printable,
    )
    made.globals.update(_=_, ngettext=ngettext, recorded=recorded, spoken=spoken)
    made.filters.update(clause=clause, linked=_linked)
    return made


@pass_context
def _linked(context: Context, text: str) -> Markup | str:
    """`linked` in a report whose sections have numbers of their own; plain text elsewhere."""
    sections = context.get("section_ids")
    return linked(printable(text), sections) if sections else text


def printable(value: Any) -> Any:
    """A name without control characters, and without those that turn the text after it around.

    >>> printable("gr\u202epuorg"), printable(2)
    ('grpuorg', 2)
    """
    return value.translate(_UNPRINTABLE) if type(value) is str else value


def style(for_pdf: bool, synthetic: bool, *more: str) -> Markup:
    """Our own style sheets, and `more` of them; the only text that is not escaped."""
    names = ["common.css", "print.css" if for_pdf else "screen.css", *more]
    folder = files("reports").joinpath("templates")
    sheets = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
    sheets += [watermark()] if for_pdf and synthetic else []
    return Markup("\n".join([font_css(), *sheets, page_count()]))  # noqa: S704  # our own files


def page_count() -> str:
    """The rule for "page 2 of 30" in the language spoken."""
    words = _("page {page} of {pages}")
    content = words.format(page='" counter(page) "', pages='" counter(pages) "')
    return f'@page {{ @bottom-right {{ content: "{content}"; }} }}'


def watermark() -> str:
    """The rule for what stands behind every page of a report on synthetic data."""
    words = _("SYNTHETIC DATA")
    size = min(27.0, 380 / len(words))  # millimetres; the page's diagonal has room for so many
    drawn = (
        "<svg xmlns='http://www.w3.org/2000/svg' width='210mm' height='297mm' "
        "viewBox='0 0 210 297'><text x='105' y='160' transform='rotate(-52 105 150)' "
        f"text-anchor='middle' font-family='Inter' font-weight='600' font-size='{size:.1f}' "
        f"letter-spacing='1.5' fill='#f8efe9'>{words}</text></svg>"
    )
    address = base64.b64encode(drawn.encode()).decode()
    return f'@page {{ background: url("data:image/svg+xml;base64,{address}") no-repeat center; }}'

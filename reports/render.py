"""audit.json, verdict.json, card.yaml and artefacts to one HTML file; no model is opened."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audit.results import Results
from reports.card import Card
from reports.edition import ENGLISH, Edition
from reports.fonts import font_css
from reports.language import _, ngettext, recorded, speaking, spoken
from reports.law import law_as_at
from reports.material import Material
from reports.numbers import blocks_of
from reports.sections import chapters
from reports.summary import summary
from reports.verdict import read_verdict
from reports.wording import FOOTER, NOT_SUPPLIED


def render_html(
    results: Results,
    folder: Path,
    *,
    card: Card | None = None,
    verdict: Mapping[str, Any] | None = None,
    edition: Edition = ENGLISH,
    for_pdf: bool = False,
) -> str:
    """The report as one HTML file that needs no network and no script.

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
        return (
            environment()
            .get_template("report.html.j2")
            .render(
                m=material,
                r=results,
                card=material.card,
                summary=summary(material),
                chapters=chapters(material),
                for_pdf=for_pdf,
                footer=_(FOOTER),
                not_supplied=_(NOT_SUPPLIED),
                law_as_at=law_as_at(),
                hash_blocks=blocks_of,
                css=_css(*_sheets(for_pdf, results.data.synthetic)),
            )
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
    )
    made.globals.update(_=_, ngettext=ngettext, recorded=recorded, spoken=spoken)
    return made


def _sheets(for_pdf: bool, synthetic: bool) -> list[str]:
    if not for_pdf:
        return ["common.css", "screen.css"]
    return ["common.css", "print.css", *(["synthetic.css"] if synthetic else [])]


def _css(*names: str) -> Markup:
    """Our own style sheets; the only text that is not escaped."""
    folder = files("reports").joinpath("templates")
    sheets = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
    return Markup("\n".join([font_css(), *sheets]))  # noqa: S704  # our own files

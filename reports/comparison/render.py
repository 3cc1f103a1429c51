"""compare.json to one HTML file; no model is opened and no picture is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.compare.results import Comparison
from reports.card import Card
from reports.comparison.chapters import chapters
from reports.comparison.material import ComparisonMaterial
from reports.comparison.summary import summary
from reports.edition import ENGLISH, Edition
from reports.language import _, speaking
from reports.render import environment, style
from reports.verdict import read_verdict
from reports.wording import FOOTER, NOT_SUPPLIED


def render_comparison(
    found: Comparison,
    *,
    cards: tuple[Card | None, Card | None] = (None, None),
    verdict: Mapping[str, Any] | None = None,
    edition: Edition = ENGLISH,
    for_pdf: bool = False,
) -> str:
    """The report on two audits as one HTML file that needs no network and no script.

    `cards`: what people say of BASE and of NEW. `verdict`: of the rules on a drop. `for_pdf`:
    pages, running heads and a table of contents with page numbers.
    """
    material = ComparisonMaterial(
        found=found,
        cards=(cards[0] or Card(), cards[1] or Card()),
        judgement=read_verdict(verdict),
        edition=edition,
    )
    with speaking(edition.language):
        return (
            environment()
            .get_template("comparison.html.j2")
            .render(
                m=material,
                r=found,
                card=material.cards[1],
                summary=summary(material),
                chapters=chapters(material),
                for_pdf=for_pdf,
                footer=_(FOOTER),
                not_supplied=_(NOT_SUPPLIED),
                css=style(for_pdf, material.synthetic, "comparison.css"),
            )
        )

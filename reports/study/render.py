"""study.json and the pictures beside it to one HTML file; no model is opened."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from audit.study_results import StudyResults
from reports.fonts import font_css
from reports.render import environment, watermark
from reports.study.chapters import chapters
from reports.study.material import StudyMaterial
from reports.study.summary import summary
from reports.wording import FOOTER, NOT_SUPPLIED


def render_study(results: StudyResults, folder: Path, *, images: bool = True) -> str:
    """The report as one HTML file that needs no network and no script, for screen and paper.

    `folder`: where study.json and its artefacts lie; a picture that is missing, was changed or
    lies outside is left out and said to be. `images` False leaves out every picture of a
    patient. `reports.pdf.render_pdf` turns it into a PDF.
    """
    material = StudyMaterial(results=results, folder=folder, images=images)
    return (
        environment()
        .get_template("study.html.j2")
        .render(
            m=material,
            r=results,
            summary=summary(material),
            chapters=chapters(material),
            footer=FOOTER,
            not_supplied=NOT_SUPPLIED,
            css=_css(results.synthetic),
        )
    )


def _css(synthetic: bool) -> Markup:
    """The audit report's own sheets, each for its medium; the only text that is not escaped."""
    paper = _sheet("print.css") + (watermark() if synthetic else "")
    parts = [
        font_css(),
        _sheet("common.css"),
        f"@media screen {{\n{_sheet('screen.css')}\n}}",
        f"@media print {{\n{paper}\n}}",
        _sheet("study.css"),
    ]
    return Markup("\n".join(parts))  # noqa: S704  # our own files


def _sheet(name: str) -> str:
    return files("reports").joinpath("templates", name).read_text(encoding="utf-8")

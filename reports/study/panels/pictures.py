"""Figures 1, 2, 4 and 5, from the artefacts; each caption says what it does not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audit.results import Artefact
from reports.blocks import Block, Figure, Gallery, Text
from reports.panels.gallery import address
from reports.study.material import StudyMaterial

FEW = 2
Width = Literal["full", "half", "quarter"]


@dataclass(frozen=True)
class Kind:
    heading: str
    limit: str


KINDS = {
    "augmentation": Kind(
        "Figure 1. One training image, and what augmentation makes of it",
        "One image and one draw of the seed; other images and draws look different. It does not "
        "show that the changes are anatomically plausible.",
    ),
    "fgsm": Kind(
        "Figure 2. One fast gradient sign example: before, the change, after",
        "One chosen example says nothing about how often the attack works; the rate with its "
        "interval is in the audit table. The published example gives no rate.",
    ),
    "confident-correct": Kind(
        "Figure 4. Most confident and correct",
        "Chosen by a fixed rule from the best model's test images. Colour shows regions "
        "associated with the score. Confidence is not correctness, and the displayed cases are "
        "not typical ones.",
    ),
    "unsure-wrong": Kind(
        "Figure 5. Least confident and wrong",
        "Chosen by a fixed rule from the best model's errors. Colour shows regions associated "
        "with the score. Errors made with high confidence are not among them.",
    ),
}
OTHER = Kind("Further pictures", "")


def pictures(material: StudyMaterial) -> Sequence[Block]:
    """One heading per kind, in the order of the published figures."""
    artefacts = material.results.artefacts
    if not artefacts:
        return [Text("No picture was made in this study.", "Figures 1, 2, 4 and 5.")]
    if not material.images:
        words = f"Left out: {len(artefacts)} pictures (edition without images)."
        return [Text(words, "Figures 1, 2, 4 and 5.")]
    found: list[Block] = []
    for name, kind in KINDS.items():
        same = [artefact for artefact in artefacts if artefact.kind == name]
        if same:
            found += _shown(material.folder, kind, same)
        else:
            found.append(Text("Not made in this study.", f"{kind.heading}."))
    rest = [artefact for artefact in artefacts if artefact.kind not in KINDS]
    return [*found, *(_shown(material.folder, OTHER, rest) if rest else [])]


def _shown(folder: Path, kind: Kind, artefacts: Sequence[Artefact]) -> list[Block]:
    """One or two pictures across the page, more of them as a gallery."""
    if len(artefacts) <= FEW:
        return [picture(folder, a, f"{kind.heading}.", kind.limit) for a in artefacts]
    return [Gallery(kind.heading, [picture(folder, a) for a in artefacts], kind.limit)]


def picture(folder: Path, artefact: Artefact, before: str = "", after: str = "") -> Figure:
    """One artefact with its words; a file that is missing or was changed is said to be."""
    source, wide = address(folder, artefact)
    told = [artefact.title if not before else "", artefact.caption]
    words = " ".join(_ended(part) for part in (before, *told, after) if part)
    alt = artefact.alt or artefact.title or "Picture without a description"
    if source is None:
        return Figure("", alt, f"{words} The file is missing or was changed after the study.")
    width: Width = "full" if before else "half" if wide else "quarter"
    return Figure(source, alt, words, width)


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."

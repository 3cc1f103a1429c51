"""Section 9: Grad-CAM pictures by outcome and view, from the artefacts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from audit.results import Artefact
from reports.blocks import Block, Figure, Gallery, Text
from reports.material import Material, probe_detail
from reports.panels.registry import panel

LARGEST = 4 * 1024 * 1024
OUTCOMES = {
    "TP": "True positives",
    "FP": "False positives",
    "FN": "False negatives",
    "TN": "True negatives",
}
PNG = b"\x89PNG\r\n\x1a\n"


@panel("gallery")
def gallery(material: Material) -> Sequence[Block]:
    pictures = [a for a in material.results.artefacts if a.kind.startswith("gradcam")]
    if not pictures:
        return [Text("No picture was made in this run.", "Gallery.")]
    if not material.images:
        count = len(pictures)
        return [Text(f"Left out: {count} pictures (edition without images).", "Gallery.")]
    found: list[Block] = []
    for outcome, view in _headings(pictures):
        same = [a for a in pictures if _outcome(a) == outcome and _view(a) == view]
        title = OUTCOMES.get(outcome, outcome or "Pictures") + (f", {view}" if view else "")
        found.append(Gallery(title, [_figure(material.folder, a) for a in same]))
    return [*found, Text(_rule(material), "How these pictures were chosen.")]


def _headings(pictures: Sequence[Artefact]) -> list[tuple[str, str]]:
    order = list(OUTCOMES)
    pairs = {(_outcome(a), _view(a)) for a in pictures}
    rank = {name: place for place, name in enumerate(order)}
    return sorted(pairs, key=lambda pair: (rank.get(pair[0], 9), pair))


def _outcome(artefact: Artefact) -> str:
    return str(artefact.meta.get("outcome", ""))


def _view(artefact: Artefact) -> str:
    return str(artefact.meta.get("view", ""))


def _rule(material: Material) -> str:
    details = probe_detail(material, "gradcam")
    rule = details.get("rule") or "the rule is not recorded"
    return (
        f"Rule: {rule}. Seed: {details.get('seed', material.results.plan.seed)}. Errors are "
        "included. A control with randomised weights is not computed in this version. Colour "
        "shows regions associated with the score."
    )


def _figure(folder: Path, artefact: Artefact) -> Figure:
    source = address(folder, artefact)
    words = ". ".join(part.rstrip(".") for part in (artefact.title, artefact.caption) if part)
    alt = artefact.alt or artefact.title or "Picture without a description"
    if source is None:
        return Figure("", alt, f"{words}. The file is missing or was changed after the audit.")
    return Figure(source, alt, words, "third")


def address(folder: Path, artefact: Artefact) -> str | None:
    """The picture as a data: address; None unless it is the PNG that the audit recorded."""
    home = folder.resolve()
    path = (home / artefact.path).resolve()
    if not path.is_relative_to(home) or not path.is_file():
        return None
    if path.stat().st_size > LARGEST:
        return None
    data = path.read_bytes()
    if not data.startswith(PNG) or hashlib.sha256(data).hexdigest() != artefact.sha256:
        return None
    return "data:image/png;base64," + base64.b64encode(data).decode()

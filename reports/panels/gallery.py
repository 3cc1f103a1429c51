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
CONFIDENT = "most confident"  # the probe's word for pictures picked by log-odds
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
    surest = [a for a in pictures if a.meta.get("picked") == CONFIDENT]
    others = [a for a in pictures if a not in surest]
    for title, right in (("Most confident and wrong", False), ("Most confident and right", True)):
        same = [a for a in surest if _outcome(a).startswith("T") is right]
        shown = sorted(same, key=lambda a: int(a.meta.get("rank", 0)))
        if shown:
            found.append(Gallery(title, [figure_of(material.folder, a) for a in shown]))
    for outcome in sorted({_outcome(a) for a in others}, key=_rank):
        same = sorted((a for a in others if _outcome(a) == outcome), key=_view)
        title = OUTCOMES.get(outcome, outcome or "Pictures")
        found.append(Gallery(title, [figure_of(material.folder, a) for a in same]))
    return [*found, Text(_rule(material), "How these pictures were chosen.")]


def _rank(outcome: str) -> tuple[int, str]:
    order = list(OUTCOMES)
    return (order.index(outcome) if outcome in order else len(order), outcome)


def _outcome(artefact: Artefact) -> str:
    return str(artefact.meta.get("outcome", ""))


def _view(artefact: Artefact) -> str:
    return str(artefact.meta.get("view", ""))


def _rule(material: Material) -> str:
    details = probe_detail(material, "gradcam")
    rule = details.get("rule") or "the rule is not recorded"
    control = details.get("control")
    beside = (
        f"The last of the three is the control: {control}. What both maps show is no finding about "
        "the model."
        if control
        else "A control with randomised weights was not computed."
    )
    return (
        f"Rule: {rule}. Seed: {details.get('seed', material.results.plan.seed)}. Errors are "
        f"included. {beside} Colour shows regions associated with the score."
    )


def figure_of(folder: Path, artefact: Artefact) -> Figure:
    """The picture with its title and caption, or words where it is not what was recorded."""
    source, wide = address(folder, artefact)
    words = ". ".join(part.rstrip(".") for part in (artefact.title, artefact.caption) if part)
    alt = artefact.alt or artefact.title or "Picture without a description"
    if source is None:
        return Figure("", alt, f"{words}. The file is missing or was changed after the audit.")
    return Figure(source, alt, words, "half" if wide else "quarter")


def address(folder: Path, artefact: Artefact) -> tuple[str | None, bool]:
    """(the picture as a data: address, whether it is wide); None unless it is the recorded PNG."""
    home = folder.resolve()
    path = (home / artefact.path).resolve()
    if not path.is_relative_to(home) or not path.is_file() or path.stat().st_size > LARGEST:
        return None, False
    data = path.read_bytes()
    if not data.startswith(PNG) or hashlib.sha256(data).hexdigest() != artefact.sha256:
        return None, False
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return "data:image/png;base64," + base64.b64encode(data).decode(), width > 1.6 * height

"""Section 9: Grad-CAM pictures by outcome and view, from the artefacts."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from audit.results import Artefact
from reports.blocks import Block, Figure, Gallery, Text
from reports.captions import OUTCOMES, alt, caption
from reports.language import N_, _, ngettext, recorded
from reports.material import Material, probe_detail
from reports.panels.registry import panel

LARGEST = 4 * 1024 * 1024
CONFIDENT = "most confident"  # the probe's word for pictures picked by log-odds
PRINTED = 4  # of each outcome, in the PDF
PNG = b"\x89PNG\r\n\x1a\n"
HEAD = N_("Gallery.")
SURE = ((N_("Most confident and wrong"), False), (N_("Most confident and right"), True))


@panel("gallery")
def gallery(material: Material) -> Sequence[Block]:
    """The surest errors first, then every outcome. The PDF prints a few of each; all stand in
    report.html."""
    pictures = [a for a in material.results.artefacts if a.kind.startswith("gradcam")]
    if not pictures:
        return [Text(_("No picture was made in this run."), _(HEAD))]
    if not material.images:
        return [left_out(len(pictures), _(HEAD))]
    galleries = [*_surest(material, pictures), *_by_outcome(material, pictures)]
    shown = [figure for one in galleries for figure in one.pictures]
    printed = sum(not figure.screen_only for figure in shown)
    return [*galleries, Text(_reading(material, printed, len(shown)), _("How to read them."))]


def left_out(count: int, head: str) -> Text:
    """What stands in the place of pictures in an edition without images."""
    told = ngettext(
        "Left out: {n} picture (edition without images).",
        "Left out: {n} pictures (edition without images).",
        count,
    )
    return Text(told.format(n=count), head)


def _surest(material: Material, pictures: Sequence[Artefact]) -> Iterator[Gallery]:
    surest = [a for a in pictures if a.meta.get("picked") == CONFIDENT]
    for title, right in SURE:
        same = [a for a in surest if _outcome(a).startswith("T") is right]
        if same:
            found = [_filtered(material, a) for a in sorted(same, key=_place)]
            if right:
                found = [replace(figure, screen_only=True) for figure in found]
            yield Gallery(_(title), found, use="filter")


def _by_outcome(material: Material, pictures: Sequence[Artefact]) -> Iterator[Gallery]:
    others = [a for a in pictures if a.meta.get("picked") != CONFIDENT]
    views = _commonest(material, others)
    for outcome in sorted({_outcome(a) for a in others}, key=_rank):
        same = [a for a in others if _outcome(a) == outcome]
        printed = _in_turn(same, views)[:PRINTED]
        figures = [
            replace(_filtered(material, a), screen_only=a not in printed)
            for a in sorted(same, key=lambda a: (views.index(_view(a)), _place(a)))
        ]
        title = OUTCOMES.get(outcome)
        yield Gallery(_(title) if title else outcome or _("Pictures"), figures, use="filter")


def _in_turn(pictures: Sequence[Artefact], views: Sequence[str]) -> list[Artefact]:
    """The first of every view, the commonest view first; then the second of every view."""
    turns: Counter[str] = Counter()
    keyed = []
    for one in sorted(pictures, key=_place):
        keyed.append((turns[_view(one)], views.index(_view(one)), one))
        turns[_view(one)] += 1
    return [one for _turn, _view_, one in sorted(keyed, key=lambda key: key[:2])]


def _commonest(material: Material, pictures: Sequence[Artefact]) -> list[str]:
    """The views of the pictures, those of most images first."""
    counts = material.results.data.attributes.get("view", {})
    shown = Counter(_view(a) for a in pictures)
    return sorted(shown, key=lambda view: (-counts.get(view, 0), -shown[view], view))


def _filtered(material: Material, artefact: Artefact) -> Figure:
    """With the outcome and the view by which the HTML edition filters."""
    outcome = OUTCOMES.get(_outcome(artefact))
    asked = {"outcome": _(outcome) if outcome else _outcome(artefact), "view": _view(artefact)}
    return replace(figure_of(material.folder, artefact), data=asked)


def _rank(outcome: str) -> tuple[int, str]:
    order = list(OUTCOMES)
    return (order.index(outcome) if outcome in order else len(order), outcome)


def _place(artefact: Artefact) -> tuple[int, str]:
    rank = artefact.meta.get("rank", 0)
    return (rank if isinstance(rank, int) else 0, artefact.path)


def _outcome(artefact: Artefact) -> str:
    return str(artefact.meta.get("outcome", ""))


def _view(artefact: Artefact) -> str:
    return str(artefact.meta.get("view", ""))


def _reading(material: Material, printed: int, total: int) -> str:
    details = probe_detail(material, "gradcam")
    told = [
        _(
            "Each picture: the image as the model sees it, the same under its map, and under the "
            "map of the same network with randomised weights. What both maps show is no finding "
            "about the model."
        )
        if details.get("control")
        else _("A control with randomised weights was not computed.")
    ]
    told.append(
        _("Each map is scaled to its own maximum; lesion boxes, where known, are outlined.")
    )
    if printed < total:
        told.append(
            _(
                "The PDF shows {printed} of {total}: the surest errors, and {most} of each outcome "
                "at most, its views in turn, the commonest first. All are in report.html."
            ).format(printed=printed, total=total, most=PRINTED)
        )
    told += [recorded(text) for text in _burned_in(material)]
    return " ".join(told)


def _burned_in(material: Material) -> list[str]:
    reports = (r for r in material.results.probes if r.probe == "gradcam")
    return [n.text for r in reports for n in r.notes if n.code == "gradcam.burned-in"]


def figure_of(folder: Path, artefact: Artefact) -> Figure:
    """The picture with its words, or words alone where it is not what was recorded."""
    source, wide = address(folder, artefact)
    told = caption(artefact)
    if source is None:
        missing = _("The file is missing or was changed after the audit.")
        return Figure("", alt(artefact), f"{told}. {missing}")
    return Figure(source, alt(artefact), told, "half" if wide else "quarter")


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

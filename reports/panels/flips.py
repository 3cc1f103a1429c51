"""Section 8: what an attack does to an image, ε by ε, and what a single pixel does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from audit.results import Artefact, ProbeReport, Scalar
from reports.blocks import Block, Figure, Gallery, Text
from reports.captions import complete, step
from reports.language import N_, _
from reports.material import Material
from reports.numbers import grey_levels, stress_name
from reports.panels.gallery import figure_of, left_out
from reports.panels.registry import panel

FLIPS = N_("Smallest alterations that change a decision.")
PIXELS = N_("One pixel, magnified.")


@panel("flip_pictures")
def flip_pictures(material: Material) -> Sequence[Block]:
    """A series of pictures per case; in report.html a slider over ε."""
    report, pictures = _of(material, "flip")
    if report is None or not pictures:
        return [Text(told, _(FLIPS)) for told in _absent(report, pixels=False)]
    if not material.images:
        return [left_out(len(pictures), _(FLIPS))]
    series: dict[str, list[Artefact]] = {}
    for one in pictures:
        series.setdefault(str(one.meta.get("series", "")), []).append(one)
    order = [str(told.get("case", "")) for told in _told(report)]
    known = sorted(series.values(), key=lambda same: _rank(order, same[0]))
    words = _(
        "The altered images were made anew from the same draws and judged by the untouched model. "
        "Shown: two cases of each label that change at the smallest ε, equals in seeded order "
        "(seed {seed}); a choice of the worst, not a sample. The last picture is what was added."
    ).format(seed=report.details.get("seed", material.results.plan.seed))
    return [Text(words, _(FLIPS)), *(_series(material, same) for same in known)]


def _of(material: Material, kind: str) -> tuple[ProbeReport | None, list[Artefact]]:
    reports = (r for r in material.results.probes if r.probe == "flips")
    return next(reports, None), [a for a in material.results.artefacts if a.kind == kind]


def _absent(report: ProbeReport | None, *, pixels: bool) -> Iterator[str]:
    """Why there is no picture; nothing where the probe was not asked for or had no attack."""
    if report is None or report.state in ("not applicable", "skipped"):
        return
    if report.state == "failed":
        yield _("Not made: the probe failed.")
    elif not pixels and any(note.code == "flips-none" for note in report.notes):
        yield _("No picture was made: no decision changed in a case that may be shown.")


def _told(report: ProbeReport) -> list[Mapping[str, Any]]:
    told = report.details.get("series", [])
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _rank(order: Sequence[str], artefact: Artefact) -> int:
    case = str(artefact.meta.get("case", ""))
    return order.index(case) if case in order else len(order)


def _series(material: Material, same: Sequence[Artefact]) -> Gallery:
    meta = same[0].meta
    ordered = sorted(same, key=lambda a: (a.meta.get("part") == "difference", _epsilon(a.meta)))
    title = _("Case {case}{view}, labelled {label}: {attack} changes the decision at ε = {epsilon}")
    view = meta.get("view")
    told = title.format(
        case=meta.get("case", ""),
        view=f", {view}" if view else "",
        label=meta.get("label", ""),
        attack=stress_name(str(meta.get("stress", ""))),
        epsilon=grey_levels(_number(meta.get("first"))),
    )
    return Gallery(told, [_step(material, one) for one in ordered], _note(meta), "slider")


def _note(meta: Mapping[str, Scalar]) -> str:
    if meta.get("flips") is False:
        return _("Made anew, the image does not change the decision: it lies at the boundary.")
    if meta.get("flips_in_8_bits") is False:
        return _("After rounding to 8 bits, as shown here, the decision does not change.")
    return ""


def _step(material: Material, artefact: Artefact) -> Figure:
    figure = replace(figure_of(material.folder, artefact), width="sixth")
    if artefact.meta.get("part") == "difference" or not complete(artefact):
        return figure
    return replace(figure, data={"step": step(artefact.meta)})


def _epsilon(meta: Mapping[str, Scalar]) -> float:
    return _number(meta.get("epsilon"))


def _number(value: Scalar | None) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


@panel("one_pixel_pictures")
def one_pixel_pictures(material: Material) -> Sequence[Block]:
    """Cases that one pixel turned, with the pixel's neighbourhood before and after."""
    report, pictures = _of(material, "one_pixel")
    if report is None or not pictures:
        return [Text(told, _(PIXELS)) for told in _absent(report, pixels=True)]
    if not material.images:
        return [left_out(len(pictures), _(PIXELS))]
    note = _(
        "The place is framed; beside it its neighbourhood magnified, before and after. Up to two "
        "cases of each label that one pixel turned, in seeded order (seed {seed})."
    ).format(seed=report.details.get("seed", material.results.plan.seed))
    shown = [replace(figure_of(material.folder, a), width="half") for a in pictures]
    if any(a.meta.get("flips") is False for a in pictures):
        note += " " + _("Where both decisions are the same, the image lies at the boundary.")
    return [Gallery(_(PIXELS).rstrip("."), shown, note)]

"""Section 10: what else than the finding tells the label, and whether the model reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import BELOW_AREA, rate_cell
from reports.changes import change_cell
from reports.figures.areas import areas
from reports.language import N_, _, recorded
from reports.material import Material
from reports.numbers import SCORES
from reports.p_values import p_text
from reports.panels.registry import panel
from reports.shortcuts import (
    TOGETHER,
    attribute_name,
    names,
    of,
    one,
    p_of,
    region_name,
    regions,
    report_of,
)

MOST_ROWS = 15
SEEN = N_("Shortcuts looked for.")
STATES = {
    "failed": N_("Failed: {reason}"),
    "not applicable": N_("Not applicable: {reason}"),
    "skipped": N_("Skipped: {reason}"),
}
ASIDES = ("shortcut-sample", "shortcut-not-examined")


@panel("shortcuts")
def shortcuts(material: Material) -> Sequence[Block]:
    """Of the data, of the model's features, of border and marker: one table each."""
    report = report_of(material)
    if report is None:
        found = [r for r in material.results.probes if r.probe == "shortcuts"]
        return [Text(_why(r), _(SEEN)) for r in found]
    blocks = [*_by_attribute(report), *_encoded(report), *_regions(report)]
    aside = [recorded(note.text) for note in report.notes if note.code in ASIDES]
    reading = _(
        "An association is no proof that the model uses it, and none found is no proof of its "
        "absence: attributes that the data does not carry were not looked at."
    )
    return [*blocks, Text(" ".join([reading, *aside]), _(SEEN))]


def _why(report: ProbeReport) -> str:
    return _(STATES[report.state]).format(reason=recorded(report.reason or ""))


def _by_attribute(report: ProbeReport) -> Iterator[Block]:
    attributes = [*names(report)[: MOST_ROWS - 1], TOGETHER]
    alone = [
        one(report, "metadata_auroc", **({} if a == TOGETHER else {"attribute": a}))
        for a in attributes
    ]
    if alone[-1] is None:
        return
    matched = [one(report, "matched_auroc", attribute=a) for a in attributes]
    change = [one(report, "matched_auroc", "matched=no", attribute=a) for a in attributes]
    caption = _(
        "AUROC of the label from metadata alone, and of the model when matched, by attribute. A "
        "label that metadata predict is a fact about the data; whether the model reads it shows "
        "in how far its own AUROC falls when matched."
    )
    shown = {
        _("label from the attribute alone"): alone,
        _("model, matched on the attribute"): matched,
    }
    picture = areas([attribute_name(a) for a in attributes], shown, caption)
    alt = _(
        "Two points per attribute with their intervals: AUROC of the label from the attribute "
        "alone, and of the model matched on it; the numbers are in the table below."
    )
    yield Figure(picture, alt, caption)
    rows: list[list[str | Cell]] = [
        [attribute_name(name), rate_cell(a), p_text(p_of(a)), rate_cell(m), _gap(c)]
        for name, a, m, c in zip(attributes, alone, matched, change, strict=True)
    ]
    columns = [
        _("Attribute"), _("Label from it alone"), "p", _("Model, matched on it"), _("Change"),
    ]  # fmt: skip
    note = _(
        "AUROC with 95% CI. p: labels moved between patients, after Holm over the attributes. "
        "Matched: cases weighted so that both labels have the same values. Change: against the "
        "AUROC of all cases."
    )
    note = " ".join([note, _(BELOW_AREA)]) + _cut(len(names(report)), MOST_ROWS - 1)
    title = _("Metadata and the label")
    yield Table(title, columns, rows, note, frozenset({2}), (20, 20, 7, 20, 33))


def _cut(total: int, most: int) -> str:
    told = _("The first {shown} of {n}; all are in audit.json.")
    return " " + told.format(shown=most, n=total) if total > most else ""


def _encoded(report: ProbeReport) -> Iterator[Block]:
    """By attribute the value that is read best: whether one is encoded is the question."""
    found: dict[str, Finding] = {}
    for f in of(report, "attribute_from_features"):
        name, value = str(f.params["attribute"]), f.value or 0.0
        if name not in found or value > (found[name].value or 0.0):
            found[name] = f
    if not found:
        return
    best = sorted(found.values(), key=lambda f: -(f.value or 0.0))
    rows: list[list[str | Cell]] = [
        [
            f"{attribute_name(str(f.params['attribute']))}: {f.params['value']}",
            rate_cell(f),
            p_text(p_of(f)),
        ]
        for f in best[:MOST_ROWS]
    ]
    note = _(
        "AUROC out of fold among cases of the same label, with 95% CI; .5 is chance. Of each "
        "attribute the value that is read best; all values are in audit.json. What is encoded is "
        "not thereby used."
    ) + _cut(len(best), MOST_ROWS)
    columns = [_("Attribute and value"), _("Read from the last features"), _("p (Holm)")]
    title = _("Attributes in the model's features")
    yield Table(title, columns, rows, note, frozenset({2}), (46, 40, 14))


def _regions(report: ProbeReport) -> Iterator[Block]:
    rows: list[list[str | Cell]] = []
    for region in regions(report):
        filled = one(report, "decision_change_occluded", region=region)
        control = one(report, "decision_change_occluded", region=f"control of {region}")
        gap = one(report, "decision_change_occluded", "region=control", region=region)
        mass = one(report, "cam_mass", region=region)
        against = "share=area" if region == "border" else "region=mirrored"
        excess = one(report, "cam_mass", against, region=region)
        rows.append(
            [region_name(region), rate_cell(filled), rate_cell(control), _gap(gap),
             rate_cell(mass), _gap(excess)]
        )  # fmt: skip
    if not rows:
        return
    note = _(
        "Decisions changed when the region is filled by its surround, beside a control of the "
        "same area inside the image; p exact, by patient. Share of the Grad-CAM maps on the "
        "region, and how much more than its area (border) or its mirrored places (marker) hold."
    )
    columns = [
        _("Region"), _("Changed, filled"), _("Changed, control"), _("Difference"),
        _("Share of the map"), _("Excess"),
    ]  # fmt: skip
    title = _("Border and marker occlusion")
    yield Table(title, columns, rows, note, frozenset(), (12, 17, 17, 19, 17, 18))


def _gap(found: Finding | None) -> Cell:
    """The difference, and below it its interval and p."""
    if found is None or found.value is None:
        return Cell("–")
    p = p_of(found)
    beside = [f"n = {found.n}", *([] if p is None else [f"p {_is(p_text(p))}"])]
    points = found.metric not in SCORES
    cell = change_cell(found, *beside)
    return replace(cell, text=_("{value} points").format(value=cell.text) if points else cell.text)


def _is(text: str) -> str:
    return text if text.startswith("<") else f"= {text}"

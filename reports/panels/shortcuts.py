"""Section 10: what else than the finding tells the label, and whether the model reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.figures.areas import areas
from reports.material import Material
from reports.numbers import amount, difference
from reports.panels.registry import panel
from reports.shortcuts import TOGETHER, names, of, one, report_of

MOST_ROWS = 40
SEEN = "Shortcuts looked for."


@panel("shortcuts")
def shortcuts(material: Material) -> Sequence[Block]:
    report = report_of(material)
    if report is None:
        found = [r for r in material.results.probes if r.probe == "shortcuts"]
        return [Text(f"{r.state.capitalize()}: {r.reason or ''}".strip(), SEEN) for r in found]
    blocks = [*_by_attribute(report), *_encoded(report), *_regions(report), *_maps(report)]
    return [*blocks, *(Text(note.text) for note in report.notes)]


def _by_attribute(report: ProbeReport) -> Iterator[Block]:
    attributes = [*names(report), TOGETHER]
    alone = [
        one(report, "metadata_auroc", **({} if a == TOGETHER else {"attribute": a}))
        for a in attributes
    ]
    if alone[-1] is None:
        return
    matched = [one(report, "matched_auroc", attribute=a) for a in attributes]
    change = [one(report, "matched_auroc", "matched=no", attribute=a) for a in attributes]
    caption = "AUROC of the label from metadata alone, and of the model when matched, by attribute."
    shown = {"label from the attribute alone": alone, "model, matched on the attribute": matched}
    picture = areas(attributes, shown, caption)
    yield Figure(picture, f"{caption} The numbers are in the table below.", caption)
    rows: list[list[str | Cell]] = []
    for name, a, m, c in zip(attributes, alone, matched, change, strict=True):
        rows.append([name, rate_cell(a), _p(a), rate_cell(m), _change(c)])
    columns = ["Attribute", "Label from it alone", "p", "Model, matched on it", "Change"]
    note = (
        "AUROC with 95% CI. p: labels moved between patients, after Holm over the attributes. "
        "Matched: cases weighted so that both labels have the same values; n and pairs below. "
        "Change: against the AUROC of all cases."
    )
    yield Table("Metadata and the label", columns, rows, note, frozenset({2}), (20, 24, 8, 24, 24))


def _encoded(report: ProbeReport) -> Iterator[Block]:
    found = sorted(of(report, "attribute_from_features"), key=lambda f: -(f.value or 0.0))
    if not found:
        return
    rows: list[list[str | Cell]] = [
        [f"{f.params['attribute']} {f.params['value']}", rate_cell(f), _p(f)]
        for f in found[:MOST_ROWS]
    ]
    note = (
        "AUROC out of fold among cases of the same label, with 95% CI; .5 is chance. What is "
        "encoded is not thereby used."
    )
    columns = ["Attribute and value", "Read from the last features", "p (Holm)"]
    yield Table("Attributes in the model's features", columns, rows, note, frozenset({2}))


def _regions(report: ProbeReport) -> Iterator[Block]:
    found = [*of(report, "decision_change_occluded"), *of(report, "score_shift_occluded")]
    rows: list[list[str | Cell]] = []
    for region in dict.fromkeys(str(f.params["region"]) for f in found):
        if region.startswith("control of "):
            continue
        for metric, words in (
            ("decision_change_occluded", "decisions changed"),
            ("score_shift_occluded", "mean change of the log-odds"),
        ):
            filled = one(report, metric, region=region)
            control = one(report, metric, region=f"control of {region}")
            gap = one(report, metric, "region=control", region=region)
            what = f"{region}, {words}"
            rows.append([what, rate_cell(filled), rate_cell(control), _change(gap), _p(gap)])
    if rows:
        note = "Filled by its surround; the control is an equal area inside. p: exact, by patient."
        columns = ["Region", "Filled", "Control filled", "Difference", "p (Holm)"]
        widths = (26, 22, 22, 22, 8)
        yield Table("Border and marker occlusion", columns, rows, note, frozenset({4}), widths)


def _maps(report: ProbeReport) -> Iterator[Block]:
    rows: list[list[str | Cell]] = []
    for f in of(report, "cam_mass"):
        region = str(f.params["region"])
        against = "share=area" if region == "border" else "region=mirrored"
        words = "its area" if region == "border" else "its mirrored places"
        gap = one(report, "cam_mass", against, region=region)
        rows.append([region, rate_cell(f), f"{_change(gap)} against {words}", _p(gap)])
    if rows:
        columns = ["Region", "Share of the map", "Excess", "p (Holm)"]
        note = "Mean over maps of the predicted class. Association, not proof of use."
        yield Table("Grad-CAM on border and marker", columns, rows, note, frozenset({3}))


def _change(found: Finding | None) -> str:
    if found is None or found.value is None:
        return "–"
    return difference(found)


def _p(found: Finding | None) -> str:
    p = None if found is None else found.p if found.p_holm is None else found.p_holm
    if p is None:
        return "–"
    return "< .001" if p < 0.001 else amount("auroc", p)

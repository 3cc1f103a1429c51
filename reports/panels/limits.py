"""Section 17: what was not tested, what was skipped, what was assumed. Computed, never typed."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Items, Table, Text
from reports.card import card_overclaims
from reports.material import Material
from reports.numbers import run_name, stress_name
from reports.outline import outline
from reports.panels.registry import panel
from reports.sections import field

MOST_SKIPPED = 200


@panel("not_tested")
def not_tested(material: Material) -> Sequence[Block]:
    rows = [*_stresses(material), *_probes(material), *_fields(material)]
    return [Table("Not tested", ["What", "Kind", "Why"], rows, widths=(36, 20, 44))] if rows else []


def _stresses(material: Material) -> list[list[str]]:
    plan = material.results.plan
    left_out = [[stress_name(name), "stress", reason] for name, reason in plan.not_tested.items()]
    return left_out + [
        [
            run_name(run),
            f"stress, {run.state}",
            run.reason or "no reason recorded",
        ]
        for run in plan.runs
        if run.state != "done"
    ]


def _probes(material: Material) -> list[list[str]]:
    return [
        [report.probe, f"probe, {report.state}", report.reason or "no reason recorded"]
        for report in material.results.probes
        if report.state != "done"
    ]


def _fields(material: Material) -> list[list[str]]:
    """The computed fields of the outline that this run could not fill."""
    return [
        [row.label, f"§{section.number} field", row.absent]
        for section in outline()
        for row in section.rows
        if row.source == "A" and field(row, material).state == "not computed"
    ]


@panel("limitations")
def limitations(material: Material) -> Sequence[Block]:
    return [Items(found_limits(material), "Limitations that follow from the data and the run")]


def found_limits(material: Material) -> list[str]:
    results = material.results
    data, model = results.data, results.model
    found = ["One data set on one date; other hospitals, devices and years were not seen."]
    if data.synthetic:
        found.append("The data is synthetic: nothing here was observed in a patient.")
    if material.independent:
        found.append(
            "Images treated as independent: patients are not identified, or not for all images."
        )
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    if sens and sens.n < 100:
        colour = "fewer than 50" if sens.n < 50 else "fewer than 100"
        found.append(f"{sens.n} positive cases: {colour} (our convention for small).")
    if sens and spec and sens.n and (sens.n / (sens.n + spec.n)) > 0.1:
        share = 100 * sens.n / (sens.n + spec.n)
        found.append(f"{share:.0f}% of the cases are positive; in practice the share may differ.")
    if model.preparation_origin == "assumed":
        found.append(
            "Preprocessing unverified: the model file does not say how images are prepared."
        )
    sampled = [r for r in results.plan.runs if r.state == "done" and r.sample < r.of]
    found += [
        f"{run_name(run)} saw {run.sample} of {run.of} cases ({run.rule})." for run in sampled
    ]
    wide = sum(f.imprecise for f in results.findings)
    if wide:
        found.append(
            f"{wide} of {len(results.findings)} numbers are imprecise (half-width over 10 points)."
        )
    notes = (*results.notes, *model.notes, *data.notes)
    found += [f"{note.level.capitalize()}: {note.text}" for note in notes if note.level != "info"]
    return list(dict.fromkeys(found))


@panel("skipped_cases")
def skipped_cases(material: Material) -> Sequence[Block]:
    skipped = material.results.data.skipped
    if not skipped:
        return []
    rows = [[case.case, case.reason] for case in skipped[:MOST_SKIPPED]]
    rest = len(skipped) - len(rows)
    note = f"{rest} more in audit.json." if rest else ""
    columns = ["Case", "Why"]
    return [Table(f"Skipped cases ({len(skipped)})", columns, rows, note, widths=(22, 78))]


@panel("card_wording")
def card_wording(material: Material) -> Sequence[Block]:
    found = card_overclaims(material.card)
    if not found:
        return []
    words = "; ".join(f"“{word}” in {place}" for place, word in found)
    return [
        Text(f"{words}. No evidence in this report carries these words.", "Wording of card.yaml.")
    ]

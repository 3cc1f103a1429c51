"""What the audit of each model found, in one place; the rest is in its own audit.json."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from audit.study_results import Trained
from reports.blocks import Block, Cell, Table, Text
from reports.cells import rate_cell
from reports.numbers import blocks_of, defence_name, metric_name, setting
from reports.study.material import StudyMaterial

ROBUST = {
    "robust_accuracy": "Robust accuracy",
    "robust_sensitivity": "Robust sensitivity",
    "robust_specificity": "Robust specificity",
}
MOST_COLUMNS = 5
MOST_SETTINGS = 15


def audits(material: StudyMaterial) -> Sequence[Block]:
    """Decisions that stand, by stress; then where each audit lies."""
    tables = [block for metric in ROBUST for block in _stressed(material, metric)]
    index = _index(material)
    if not tables and not index:
        return [Text("No model was audited in this study.", "Audits.")]
    return [*tables, *index]


def _stressed(material: StudyMaterial, metric: str) -> list[Block]:
    """Models down, settings across, five a table; a setting nobody could count has no column."""
    cells = {
        model.name: {_heading(f): f for f in model.findings if _counts(f, metric)}
        for model in material.done
    }
    known = [
        words
        for words in dict.fromkeys(words for found in cells.values() for words in found)
        if any(w == words and f.value is not None for c in cells.values() for w, f in c.items())
    ]
    if not known and any(cells.values()):
        return [Text("Too few images under every stress to count by.", f"{ROBUST[metric]}.")]
    settings = known[:MOST_SETTINGS]
    found: list[Block] = []
    for at in range(0, len(settings), MOST_COLUMNS):
        part = settings[at : at + MOST_COLUMNS]
        rows: list[list[str | Cell]] = [
            [material.label(model.name), *(rate_cell(cells[model.name].get(s)) for s in part)]
            for model in material.done
            if cells[model.name]
        ]
        share = 76 // len(part)
        widths = (100 - share * len(part), *(share for _ in part))
        note = (
            "Correct without and with the stress, of the images the stress saw; 95% CI · k/n below "
            "each value. † imprecise. No failure found means this search found none."
        )
        left = len(known) - len(settings)
        if left:
            note += f" {left} more settings are in each audit.json."
        columns = ["Model", *part]
        numeric = frozenset(range(1, len(columns)))
        found.append(Table(f"{ROBUST[metric]} by stress", columns, rows, note, numeric, widths))
    return found


def _counts(finding: Finding, metric: str) -> bool:
    return (
        finding.metric == metric
        and finding.stress != "clean"
        and not finding.group
        and finding.contrast is None
        and "angle" not in finding.params
    )


def _heading(finding: Finding) -> str:
    words = setting(finding)
    return words if finding.defence == "none" else f"{words}, with {defence_name(finding.defence)}"


def _index(material: StudyMaterial) -> list[Table]:
    audited = [model for model in material.results.models if model.audit]
    if not audited:
        return []
    rows: list[list[str | Cell]] = [_line(material, model) for model in audited]
    note = (
        "Paths are relative to study.json. Each folder holds the audit's own report: subgroups, "
        "calibration, attacks, corruptions, and what was not tested."
    )
    columns = ["Model", "audit.json", "Run", "Weights (sha256)"]
    return [Table("The audit of every model", columns, rows, note, frozenset(), (20, 33, 20, 27))]


def _line(material: StudyMaterial, model: Trained) -> list[str | Cell]:
    weights = blocks_of(model.sha256[:32]) if model.sha256 else "not hashed"
    run = model.audit_run_id or "–"
    return [material.label(model.name), model.audit or "–", run[:20], weights]


def other_stressed(material: StudyMaterial) -> Sequence[Block]:
    """Names of what else was measured under stress, so that nobody takes the table for all."""
    names = {
        metric_name(f.metric)
        for model in material.done
        for f in model.findings
        if f.stress != "clean" and f.metric not in ROBUST
    }
    if not names:
        return []
    return [Text(f"{', '.join(sorted(names))}: in each audit.json.", "Also measured under stress.")]

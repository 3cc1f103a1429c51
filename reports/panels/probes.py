"""Section 10: findings of probes that no section prints as its own."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Table, Text
from reports.cells import rate_cell
from reports.language import _, recorded
from reports.material import Material
from reports.numbers import group_name, metric_name
from reports.panels.registry import panel

MOST_ROWS = 30
ELSEWHERE = {
    "calibration", "drift_baselines", "explanations", "flips", "gradcam", "label_errors",
    "leakage", "masking", "quality", "shortcuts", "spot_check",
}  # fmt: skip


@panel("probe_others")
def of_others(material: Material) -> Sequence[Block]:
    told = [r for r in material.results.probes if r.probe not in ELSEWHERE]
    return [b for r in told for b in _told(r)]


def _told(report: ProbeReport) -> list[Block]:
    found: list[Block] = [Text(recorded(note.text)) for note in report.notes]
    if not report.findings:
        return found
    rows: list[list[str | Cell]] = [
        [_what(f), group_name(f.group), rate_cell(f)] for f in report.findings[:MOST_ROWS]
    ]
    note = _("95% CI · n or k/n below each value.")
    if len(report.findings) > len(rows):
        cut = _("The first {shown}; all {n} are in audit.json.")
        note += " " + cut.format(shown=len(rows), n=len(report.findings))
    title = _("Findings of {probe}").format(probe=report.probe.replace("_", " "))
    columns = [_("Metric"), _("Group"), _("Value")]
    return [Table(title, columns, rows, note, frozenset({2}), (44, 30, 26)), *found]


def _what(f: Finding) -> str:
    words = [metric_name(f.metric), *(f"{name} {value}" for name, value in f.params.items())]
    return ", ".join([*words, *([f.variant] if f.variant else [])])

"""Findings of probes: Grad-CAM's in section 9, those without a panel of their own in 10."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Table, Text
from reports.cells import rate_cell
from reports.material import Material
from reports.numbers import group_name, metric_name
from reports.panels.registry import panel

MOST_ROWS = 60
OWN_PANEL = {"explanations", "gradcam", "label_errors", "leakage", "shortcuts", "spot_check"}


@panel("probe_gradcam")
def of_gradcam(material: Material) -> Sequence[Block]:
    return [b for r in material.results.probes if r.probe == "gradcam" for b in _told(r)]


@panel("probe_others")
def of_others(material: Material) -> Sequence[Block]:
    told = [r for r in material.results.probes if r.probe not in OWN_PANEL]
    return [b for r in told for b in _told(r)]


def _told(report: ProbeReport) -> list[Block]:
    found: list[Block] = []
    told = [f for f in report.findings if not f.metric.endswith("_by_quality")]  # section 3
    if told:
        rows: list[list[str | Cell]] = [
            [_what(f), group_name(f.group), rate_cell(f)] for f in told[:MOST_ROWS]
        ]
        more = len(told) - len(rows)
        note = "95% CI · k/n below each value." + (f" {more} more in audit.json." if more else "")
        columns = ["Metric", "Group", "Value"]
        name = report.probe.replace("_", " ")
        table = Table(f"Findings of {name}", columns, rows, note, frozenset({2}), (44, 30, 26))
        found.append(table)
    return found + [Text(note.text) for note in report.notes]


def _what(f: Finding) -> str:
    words = [metric_name(f.metric), *(f"{name} {value}" for name, value in f.params.items())]
    return ", ".join([*words, *([f.variant] if f.variant else [])])

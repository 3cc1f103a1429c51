"""Findings of probes: Grad-CAM's in section 9, those of every other probe in section 10."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding, ProbeReport
from reports.blocks import Block, Cell, Table, Text
from reports.cells import rate_cell
from reports.material import Material
from reports.numbers import group_name, metric_name
from reports.panels.registry import panel

MOST_ROWS = 60


@panel("probe_gradcam")
def of_gradcam(material: Material) -> Sequence[Block]:
    return [b for r in material.results.probes if r.probe == "gradcam" for b in _told(r)]


@panel("probe_others")
def of_others(material: Material) -> Sequence[Block]:
    return [b for r in material.results.probes if r.probe != "gradcam" for b in _told(r)]


def _told(report: ProbeReport) -> list[Block]:
    found: list[Block] = []
    if report.findings:
        rows: list[list[str | Cell]] = [
            [_what(f), group_name(f.group), rate_cell(f)] for f in report.findings[:MOST_ROWS]
        ]
        more = len(report.findings) - len(rows)
        note = "95% CI · k/n below each value." + (f" {more} more in audit.json." if more else "")
        columns = ["Metric", "Group", "Value"]
        name = report.probe.replace("_", " ")
        table = Table(f"Findings of {name}", columns, rows, note, frozenset({2}), (44, 30, 26))
        found.append(table)
    return found + [Text(note.text) for note in report.notes]


def _what(f: Finding) -> str:
    words = [metric_name(f.metric), *(f"{name} {value}" for name, value in f.params.items())]
    return ", ".join([*words, *([f.variant] if f.variant else [])])

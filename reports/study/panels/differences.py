"""Differences between arrangements on the same images, from the findings of the study."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Table
from reports.numbers import difference, group_name, metric_name
from reports.study.material import StudyMaterial

MOST_ROWS = 60


def differences(material: StudyMaterial) -> Sequence[Block]:
    """One row per difference, with its interval."""
    known = [f for f in material.results.findings if f.contrast]
    if not known:
        return []
    rows = [_row(material, f) for f in known[:MOST_ROWS]]
    note = "Paired over the same images. Several were looked at; not adjusted for that here."
    if len(known) > MOST_ROWS:
        note += f" {len(known) - MOST_ROWS} more are in study.json."
    columns = ["Metric", "Who", "Against", "Images", "Difference"]
    title = "Paired differences"
    return [Table(title, columns, rows, note, frozenset(), (14, 20, 20, 14, 32))]


def _row(material: StudyMaterial, f: Finding) -> list[str]:
    other = (f.contrast or "").removeprefix("model=")
    return [
        metric_name(f.metric),
        material.label(str(f.params.get("model", "–"))),
        material.label(other),
        group_name(f.group),
        difference(f),
    ]

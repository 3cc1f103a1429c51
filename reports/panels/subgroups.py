"""Section 6: every subgroup, its counts, and the differences between them."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Table, Text
from reports.material import Material
from reports.numbers import full, group_name, metric_name, ratio, setting, short
from reports.panels.registry import panel

METRICS = ("sensitivity", "specificity", "accuracy")


@panel("subgroup_table")
def subgroup_table(material: Material) -> Sequence[Block]:
    rows = []
    for group in material.groups():
        found = [material.clean(metric, group) for metric in METRICS]
        counts = " · ".join(ratio(f) if f else "–" for f in found[:2])
        rows.append([group_name(group), *(short(f) for f in found), counts])
    if not rows:
        return [Text("No subgroup: the data carries no attribute with two or more values.")]
    columns = ["Subgroup", *(metric_name(m).capitalize() for m in METRICS), "k/n sens. · spec."]
    note = "Value (95% CI). † imprecise. Without stress, at the deployed threshold."
    return [Table("Performance by subgroup", columns, rows, note, numeric=frozenset({1, 2, 3, 4}))]


@panel("subgroup_differences")
def differences(material: Material) -> Sequence[Block]:
    found = [f for f in material.results.findings if f.contrast and f.group]
    if not found:
        return [Text("Not computed in this run.", "Differences between subgroups.")]
    rows = [
        [metric_name(f.metric), f"{group_name(f.group)} − {f.contrast}", setting(f), full(f)]
        for f in found[:60]
    ]
    note = f"The first 60 of {len(found)}; all stand in audit.json." if len(found) > 60 else ""
    columns = ["Metric", "Difference", "Stress", "Value"]
    return [Table("Differences between subgroups", columns, rows, note, wide=frozenset({3}))]

"""Section 6: every subgroup, its counts, and the differences between them."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.figures.forest import forest
from reports.material import EVERYONE, Material
from reports.numbers import difference, group_name, metric_name
from reports.p_values import p_text
from reports.panels.registry import panel

MOST_ROWS = 60
METRICS = ("sensitivity", "specificity", "accuracy")
SEARCHED = "weak_slice"  # told where errors gather (section 10)
ALPHA = 0.05


@panel("forest")
def forest_plot(material: Material) -> Sequence[Block]:
    groups = [EVERYONE, *material.groups()][:MOST_ROWS]
    if len(groups) < 2:
        return []
    panes = {
        metric_name(metric).capitalize(): [material.clean(metric, group) for group in groups]
        for metric in METRICS[:2]
    }
    names = [group_name(group) for group in groups]
    caption = (
        "Sensitivity and specificity by subgroup, with 95% CI and k/n. Dotted line: all cases."
    )
    alt = f"Forest plot for {', '.join(names[:12])}; the numbers are in the table below."
    return [Figure(forest(names, panes, caption), alt, caption)]


@panel("subgroup_table")
def subgroup_table(material: Material) -> Sequence[Block]:
    rows: list[list[str | Cell]] = [
        [group_name(group), *(rate_cell(material.clean(metric, group)) for metric in METRICS)]
        for group in [EVERYONE, *material.groups()]
    ]
    if len(rows) < 2:
        return [Text("No subgroup: the data carries no attribute with two or more values.")]
    columns = ["Subgroup", *(metric_name(m).capitalize() for m in METRICS)]
    note = (
        "95% CI · k/n below each value. † imprecise. Too few: under 10 to count by. Without "
        "stress, at the deployed threshold."
    )
    return [
        Table(
            "Performance by subgroup", columns, rows, note, frozenset({1, 2, 3}), (34, 22, 22, 22)
        )
    ]


@panel("subgroup_differences")
def differences(material: Material) -> Sequence[Block]:
    compared = [f for f in material.results.findings if f.contrast and f.group]
    found = [f for f in compared if f.metric != SEARCHED]
    clean = [f for f in found if f.stress == "clean" and f.defence == "none"]
    told = [f for f in clean if f.metric in METRICS] or found
    if not found:
        return [Text("Not computed in this run.", "Differences between subgroups.")]
    known = [f for f in told if f.value is not None]
    rows = [
        [
            metric_name(f.metric),
            f"{group_name(f.group)} against {_reference(f)}",
            difference(f),
            p_text(f.p),
            p_text(f.p_holm),
        ]
        for f in known[:MOST_ROWS]
    ]
    note = (
        f"{len(rows)} of {len(found)} differences: {len(told) - len(known)} had too few cases, "
        f"those under stress or a defence stand in audit.json. {_looked_at(known, found)}"
    )
    if not rows:
        return [Text(note, "Differences between subgroups.")]
    columns = ["Metric", "Groups", "Difference", "p", "p, Holm"]
    table = Table("Differences between subgroups", columns, rows, note, widths=(14, 33, 37, 8, 8))
    return [table]


def _looked_at(known: Sequence[Finding], found: Sequence[Finding]) -> str:
    """How many tests stand behind the adjusted p-values."""
    families = {f.family for f in known if f.family}
    if not families:
        return "Many were looked at; some differ by chance. Not adjusted for that."
    tests = sum(f.family in families for f in found)
    beyond = sum(f.p_holm is not None and f.p_holm < ALPHA for f in known)
    return (
        f"{tests} were tested, with those of other metrics; {beyond} of these {len(known)} differ "
        "beyond chance when that is allowed for (p, Holm, below .05)."
    )


def _reference(f: Finding) -> str:
    return (f.contrast or "").replace("=", " ")

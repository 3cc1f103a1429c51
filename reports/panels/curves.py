"""Section 8: shares against ε, overall and by view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table
from reports.cells import rate_cell
from reports.figures.curves import Pane, curves
from reports.material import Material
from reports.numbers import group_name, metric_name, setting, stress_name
from reports.panels.corruptions import dose_table
from reports.panels.registry import panel

AXIS = "ε in 8-bit grey levels (of 255)"
MOST_GROUPS = 5
METRICS = ("robust_accuracy", "robust_sensitivity", "robust_specificity")
Points = list[tuple[float, Finding]]


@panel("attack_curves")
def attack_curves(material: Material) -> Sequence[Block]:
    panes = [_by_stress(material, metric) for metric in METRICS]
    panes = [pane for pane in panes if pane.series]
    if not panes:
        return []
    names = ", ".join(dict.fromkeys(name for pane in panes for name in pane.series))
    alt = (
        f"{_titles(panes)} against ε from 0 to the largest radius, one line per attack ({names}), "
        "with 95% bands; a dashed line shows the accuracy of always answering the commonest "
        "class. The numbers are in the table below."
    )
    caption = (
        "Decisions that stand, against ε. Bands: 95% CI. ε = 0 is the clean value, drawn where "
        "the attack saw the same cases. A line that stays high is the result of this search, "
        "not a bound."
    )
    return [Figure(curves(panes, AXIS, caption), alt, caption), *dose_table(material, "attack")]


@panel("attack_curves_by_group")
def by_group(material: Material) -> Sequence[Block]:
    """Robust sensitivity and specificity by the first reported attribute (view, if there)."""
    groups = material.groups()
    if not groups:
        return []
    attribute = next(iter(groups[0]))
    same = [g for g in groups if attribute in g][:MOST_GROUPS]
    found: list[Block] = []
    for metric in METRICS[1:]:
        panes = _group_panes(material, metric, same)
        if panes:
            name = metric_name(metric)
            alt = (
                f"{name.capitalize()} by {attribute} against ε, one set of axes per attack, one "
                "line per group with its 95% band. The numbers are in the table below."
            )
            caption = (
                f"{name.capitalize()} by {attribute}. Bands: 95% CI; too small groups left out."
            )
            found.append(Figure(curves(panes, AXIS, caption), alt, caption))
            found.append(_group_table(material, metric, same))
    return found


def _group_panes(material: Material, metric: str, groups: list[dict[str, str]]) -> list[Pane]:
    panes = []
    for stress in material.sweeps(metric):
        series = {}
        for group in groups:
            points = material.sweeps(metric, group).get(stress, [])
            if any(f.value is not None for _, f in points):
                series[group_name(group)] = _with_clean(material, metric, group, points)
        if len(series) > 1:
            panes.append(Pane(stress_name(stress), series, {}))
    return panes


def _group_table(material: Material, metric: str, groups: list[dict[str, str]]) -> Table:
    columns = ["Stress", *(group_name(group) for group in groups)]
    sweeps = [material.sweeps(metric, group) for group in groups]
    rows: list[list[str | Cell]] = []
    for stress, points in material.sweeps(metric).items():
        for level, f in points:
            same = [dict(sweep.get(stress, [])).get(level) for sweep in sweeps]
            rows.append([setting(f), *(rate_cell(g) for g in same)])
    share = 70 // len(groups)
    widths = (100 - share * len(groups), *(share for _ in groups))
    name = metric_name(metric).capitalize()
    note = "95% CI · k/n below each value. † imprecise. Too few: under 10 to count by."
    numeric = frozenset(range(1, len(columns)))
    return Table(f"{name} by {next(iter(groups[0]))}", columns, rows, note, numeric, widths)


def _by_stress(material: Material, metric: str) -> Pane:
    series = {
        stress_name(stress): _with_clean(material, metric, {}, points)
        for stress, points in material.sweeps(metric).items()
    }
    lines = {}
    labels = material.results.data.labels
    if metric == "robust_accuracy" and labels:
        lines["always the commonest class"] = max(labels.values()) / sum(labels.values())
    return Pane(metric_name(metric).capitalize(), series, lines)


def _with_clean(
    material: Material, metric: str, group: Mapping[str, str], points: Points
) -> Points:
    """The curve with its clean value at 0, where the denominators agree."""
    clean = material.clean(metric.removeprefix("robust_"), group)
    same = clean is not None and all(f.n == clean.n for _, f in points)
    return [(0.0, clean), *points] if clean is not None and same else points


def _titles(panes: Sequence[Pane]) -> str:
    return ", ".join(pane.title for pane in panes)

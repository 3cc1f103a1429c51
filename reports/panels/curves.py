"""Section 8: decisions that stand, against ε: by attack, and by view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table
from reports.cells import rate_cell
from reports.figures.curves import Pane, curves
from reports.language import N_, _
from reports.material import Material
from reports.numbers import grey_levels, group_name, metric_name, sentence, stress_name
from reports.panels.registry import panel

AXIS = N_("ε in 8-bit grey levels (of 255)")
MOST_GROUPS = 5
METRICS = ("robust_accuracy", "robust_sensitivity", "robust_specificity")
BY_GROUP = METRICS[1:]
Points = list[tuple[float, Finding]]
Group = Mapping[str, str]


@panel("attack_curves")
def attack_curves(material: Material) -> Sequence[Block]:
    panes = [_by_stress(material, metric) for metric in METRICS]
    panes = [pane for pane in panes if pane.series]
    if not panes:
        return []
    alt = _(
        "{metrics} against ε from 0 to the largest radius, one line per attack ({names}), with "
        "95% bands; a dashed line shows the accuracy of always answering the commonest class. "
        "The numbers are in the table below."
    ).format(
        metrics=", ".join(pane.title for pane in panes),
        names=", ".join(dict.fromkeys(name for pane in panes for name in pane.series)),
    )
    caption = _(
        "Decisions that stand, against ε. Bands: 95% CI. ε = 0 is the clean value of the same "
        "images, drawn where it is known. Attacks saw samples of different size (table below). A "
        "line that stays high is the result of this search, not a bound."
    )
    return [Figure(curves(panes, _(AXIS), caption), alt, caption)]


@panel("attack_curves_by_group")
def by_group(material: Material) -> Sequence[Block]:
    """The attack that saw most images, by the first reported attribute (view, if there)."""
    groups = material.groups()
    stress = _widest(material)
    if not groups or not stress:
        return []
    attribute = next(iter(groups[0]))
    alike = [_swept(material, stress, g) for g in groups if set(g) == {attribute}]
    same = [one for one in alike if any(one.points.values())][:MOST_GROUPS]
    panes = [_group_pane(material, metric, same) for metric in BY_GROUP]
    panes = [pane for pane in panes if len(pane.series) > 1]
    if not panes:
        return []
    about = {"attack": stress_name(stress), "attribute": attribute[:40]}
    alt = _(
        "{metrics} under {attack} against ε, one line per group ({groups}) with its 95% band. The "
        "numbers are in the table below."
    ).format(
        metrics=", ".join(pane.title for pane in panes),
        groups=", ".join(group_name(one.group) for one in same),
        attack=about["attack"],
    )
    caption = _(
        "By {attribute}, under {attack}, the attack that saw most images. Bands: 95% CI; groups "
        "too small for a rate are left out. Lines of two groups that lie apart are no tested "
        "difference."
    ).format(**about)
    table = _table(_("{attack} by {attribute}").format(**about), same)
    return [Figure(curves(panes, _(AXIS), caption), alt, caption), table]


@dataclass(frozen=True)
class Swept:
    """A group and its points by metric; none of a metric that has no value at any level."""

    group: dict[str, str]
    points: Mapping[str, Points]


def _widest(material: Material) -> str:
    """The attack with several ε that examined most images; the first of equals."""
    found = material.sweeps("robust_accuracy")
    return max(found, key=lambda stress: found[stress][0][1].n, default="")


def _swept(material: Material, stress: str, group: dict[str, str]) -> Swept:
    points = {metric: material.sweeps(metric, group).get(stress, []) for metric in BY_GROUP}
    known = {
        metric: several if any(f.value is not None for _level, f in several) else []
        for metric, several in points.items()
    }
    return Swept(group, known)


def _group_pane(material: Material, metric: str, groups: Sequence[Swept]) -> Pane:
    series = {
        group_name(one.group): _with_clean(material, metric, one.group, one.points[metric])
        for one in groups
        if one.points[metric]
    }
    return Pane(sentence(metric_name(metric)), series, {})


def _table(caption: str, groups: Sequence[Swept]) -> Table:
    rows: list[list[str | Cell]] = []
    for metric in BY_GROUP:
        levels = [dict(one.points[metric]) for one in groups]
        for at in sorted({place for found in levels for place in found}):
            words = _("{metric}, ε = {level}").format(
                metric=sentence(metric_name(metric)), level=grey_levels(at / 255)
            )
            rows.append([words, *(rate_cell(found.get(at)) for found in levels)])
    share = 70 // len(groups)
    widths = (100 - share * len(groups), *(share for _group in groups))
    columns = [_("Metric, level"), *(group_name(one.group) for one in groups)]
    note = _(
        "95% CI · k/n below each value. † imprecise. Too few: under 10 to count by. Other attacks "
        "and attributes by group are in audit.json."
    )
    return Table(caption, columns, rows, note, frozenset(range(1, len(columns))), widths)


def _by_stress(material: Material, metric: str) -> Pane:
    series = {
        stress_name(stress): _with_clean(material, metric, {}, points)
        for stress, points in material.sweeps(metric).items()
        if any(f.value is not None for _level, f in points)
    }
    lines = {}
    labels = material.results.data.labels
    if metric == "robust_accuracy" and labels:
        lines[_("always the commonest class")] = max(labels.values()) / sum(labels.values())
    return Pane(sentence(metric_name(metric)), series, lines)


def _with_clean(material: Material, metric: str, group: Group, points: Points) -> Points:
    """The curve with the clean value of the same images at 0, where it is known."""
    clean = material.clean(metric.removeprefix("robust_"), group)
    if clean is not None and all(f.n == clean.n for _level, f in points):
        return [(0.0, clean), *points]
    sampled = _of_sample(material, points) if metric == "robust_accuracy" and not group else None
    return [(0.0, sampled), *points] if sampled is not None else points


def _of_sample(material: Material, points: Points) -> Finding | None:
    """Success is counted over what was right without stress: that is the sample's accuracy."""
    first = points[0][1]
    where = {"stress": first.stress, "variant": first.variant, "defence": "none", "group": {}}
    for f in material.results.find("attack_success", contrast=None, **where):
        if f.params == first.params and first.n:
            return Finding(metric="accuracy", value=f.n / first.n, n=first.n, events=f.n)
    return None

"""Sections 7 and 8: tables of what the stresses did."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import Finding
from reports.blocks import Block, Table
from reports.material import Material, epsilon
from reports.numbers import defence_name, ratio, setting, short
from reports.panels.registry import panel

METRICS = ("robust_accuracy", "robust_sensitivity", "robust_specificity", "attack_success")


@panel("attack_table")
def attack_table(material: Material) -> Sequence[Block]:
    return _table(material, "attack", "Decisions that stand under attack")


@panel("corruption_table")
def corruption_table(material: Material) -> Sequence[Block]:
    return _table(material, "corruption", "Decisions that stand under corruption")


def _table(material: Material, kind: str, caption: str) -> Sequence[Block]:
    lines: dict[tuple[str, ...], dict[str, Finding]] = {}
    for metric in METRICS:
        for f in material.stressed(metric):
            if material.kind_of(f.stress) == kind and f.defence == "none":
                key = (f.stress, f.variant, f"{epsilon(f):.9f}", str(sorted(f.params.items())))
                lines.setdefault(key, {})[metric] = f
    rows = []
    for found in lines.values():
        first = next(iter(found.values()))
        accuracy = found.get("robust_accuracy")
        rows.append(
            [
                setting(first),
                *(short(found.get(metric)) for metric in METRICS),
                ratio(accuracy) if accuracy else f"n = {first.n}",
            ]
        )
    if not rows:
        return []
    columns = [
        "Stress",
        "Robust accuracy",
        "Robust sensitivity",
        "Robust specificity",
        "Attack success",
        "Stood k/n",
    ]
    note = (
        "Value (95% CI). k/n is of robust accuracy. † imprecise. "
        "A row without success means: no failure found by this search in these images."
    )
    keep = 6 if kind == "attack" else 4
    columns = columns[: keep - 1] + columns[-1:] if kind != "attack" else columns
    if kind != "attack":
        rows = [[*row[:4], row[-1]] for row in rows]
        columns = [
            "Stress",
            "Robust accuracy",
            "Robust sensitivity",
            "Robust specificity",
            "Stood k/n",
        ]
    return [Table(caption, columns, rows, note, numeric=frozenset(range(1, len(columns))))]


@panel("defence_pairs")
def defence_pairs(material: Material) -> Sequence[Block]:
    rows = []
    for metric in ("accuracy", "sensitivity", "robust_accuracy", "robust_sensitivity"):
        for f in material.results.find(metric, group={}, contrast=None):
            if f.defence == "none" or metric.startswith("robust") != (f.stress != "clean"):
                continue
            before = _undefended(material, f)
            rows.append(
                [
                    f"{setting(f)}: {metric.replace('_', ' ')}",
                    short(before),
                    short(f),
                    defence_name(f.defence),
                    ratio(f),
                ]
            )
    if not rows:
        return []
    columns = ["Setting", "Without", "With", "Defence", "k/n with"]
    note = (
        "The attack goes through the defence. Where the two samples differ in size the columns "
        "are not paired; the paired difference is not computed in this version."
    )
    return [
        Table("Before and after the defence", columns, rows, note, numeric=frozenset({1, 2, 4}))
    ]


def _undefended(material: Material, f: Finding) -> Finding | None:
    same = [
        other
        for other in material.results.find(f.metric, stress=f.stress, group={}, defence="none")
        if other.variant == f.variant and epsilon(other) == epsilon(f) and other.contrast is None
    ]
    return same[0] if same else None

"""Section 8: one table of what the attacks did, and what was sought and not found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.results import Finding
from reports.blocks import Block, Cell, Items, Table
from reports.cells import rate_cell
from reports.language import N_, _
from reports.material import Material, repeats
from reports.numbers import (
    amount,
    grey_levels,
    interval,
    metric_name,
    sentence,
    setting,
    stress_name,
)
from reports.panels.registry import panel

MOST_ROWS = 30
MOST_LINES = 12
METRICS = (
    "robust_sensitivity",
    "robust_specificity",
    "robust_accuracy",
    "attack_success_8bit",
)
HEADINGS = {"attack_success_8bit": N_("Success, 8 bits")}
QUARTILES = (
    "smallest_epsilon_lower_quartile",
    "smallest_epsilon",
    "smallest_epsilon_upper_quartile",
)
Line = Mapping[str, Finding]


@panel("attack_table")
def attack_table(material: Material) -> Sequence[Block]:
    lines = _lines(material)
    if not lines:
        return []
    worst = sorted(range(len(lines)), key=lambda i: (_left(lines[i]), i))[:MOST_ROWS]
    rows = [_row(material, lines[i]) for i in sorted(worst)]
    columns = [_("Attack"), *(_heading(metric) for metric in METRICS)]
    note = _(
        "95% CI · k/n below each value. † imprecise. Standing: decided correctly without the "
        "attack and under it, of all images it saw. Success, 8 bits: wrong after rounding to 8 "
        "bits, of those decided correctly before. Worst case: right under every attack named."
    )
    if len(lines) > len(rows):
        note += " " + _(
            "The {n} that left the fewest decisions standing; all {of} are in audit.json."
        ).format(n=len(rows), of=len(lines))
    caption = _("Decisions that stand under attack")
    table = Table(caption, columns, rows, note, frozenset({1, 2, 3, 4}), (28, 18, 18, 18, 18))
    return [table, *_nothing_found(lines)]


def _lines(material: Material) -> list[Line]:
    """Per attack and level its findings by metric, without defence, in the order of the audit."""
    lines: dict[tuple[str, str, str], dict[str, Finding]] = {}
    for f in material.results.findings:
        plain = f.defence == "none" and not f.group and f.contrast is None
        counted = f.metric in (*METRICS, "attack_success") and not repeats(f)
        if plain and counted and _attack(material, f):
            key = (f.stress, f.variant, repr(sorted(f.params.items())))
            lines.setdefault(key, {})[f.metric] = f
    return list(lines.values())


def _attack(material: Material, f: Finding) -> bool:
    return f.stress != "clean" and material.kind_of(f.stress) == "attack"


def _left(line: Line) -> float:
    """The share of decisions left; of what was not counted more than of all that was."""
    found = line.get("robust_accuracy")
    return 2.0 if found is None or found.value is None else found.value


def _heading(metric: str) -> str:
    return _(HEADINGS[metric]) if metric in HEADINGS else sentence(metric_name(metric))


def _row(material: Material, line: Line) -> list[str | Cell]:
    first = next(iter(line.values()))
    name = Cell(sentence(setting(first)), sub=_smallest(material, first))
    return [name, *(rate_cell(line.get(metric)) for metric in METRICS)]


def _smallest(material: Material, f: Finding) -> str:
    """Where an attack looked for each image's smallest ε: how these are spread."""
    where: dict[str, Any] = {"stress": f.stress, "defence": "none", "group": {}, "contrast": None}
    found = [
        next((q for q in material.results.find(m, **where) if q.params == f.params), None)
        for m in QUARTILES
    ]
    if not any(found):
        return ""
    low, middle, high = (_radius(q) for q in found)
    median = found[1]
    if median is not None and median.value is not None and median.low is not None:
        middle = f"{middle} ({interval(median)})"
    words = _("smallest ε per image, of {n}: median {median}; quartiles {low} and {high}")
    n = max(q.n for q in found if q is not None)
    return words.format(n=n, median=middle, low=low, high=high)


def _radius(f: Finding | None) -> str:
    if f is None or f.value is None:
        most = f.params.get("max_epsilon") if f else None
        known = isinstance(most, int | float)
        return _("above {most}").format(most=grey_levels(float(most or 0))) if known else "–"
    return amount(f.metric, f.value)


def _nothing_found(lines: Sequence[Line]) -> list[Block]:
    """What was sought and not found, in the words agreed, with its denominator."""
    found = []
    for line in lines:
        f = line.get("attack_success")
        if f is not None and f.events == 0 and f.n and f.stress != "worst_case":
            found.append(_not_found(f))
    if not found:
        return []
    more = len(found) - MOST_LINES
    told = found[:MOST_LINES]
    if more > 0:
        told.append(_("{n} more searches without a success are in audit.json.").format(n=more))
    return [Items(told, _("Sought and not found"))]


def _not_found(f: Finding) -> str:
    name, _comma, rest = setting(f).partition(", ")
    how = rest.removeprefix("ε = ")
    attack = stress_name(f.stress) or name
    if rest.startswith("ε = "):
        words = _("No failure found by {attack} at ε = {level} in {n} images decided correctly")
    elif rest:
        words = _("No failure found by {attack} ({level}) in {n} images decided correctly")
    else:
        words = _("No failure found by {attack} in {n} images decided correctly")
    told = words.format(attack=attack, level=how, n=f.n)
    if f.high is None:
        return told + "."
    return _("{told} (upper 95% limit of its success: {high}).").format(
        told=told, high=amount(f.metric, f.high)
    )

"""Section 8: tables of what the attacks did."""

from __future__ import annotations

from collections.abc import Sequence

from audit.results import UNDEFENDED, Finding, Scalar
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.figures.forest import before_after
from reports.material import Material, epsilon
from reports.numbers import defence_name, difference, metric_name, setting
from reports.panels.referral import referring_words
from reports.panels.registry import panel
from reports.referral import only_refers

PAIRED = ("accuracy", "sensitivity", "specificity", "robust_sensitivity", "robust_specificity")
MOST_DRAWN = 30
METRICS = (
    "robust_accuracy",
    "robust_sensitivity",
    "robust_specificity",
    "attack_success",
    "attack_success_8bit",
)
HEADINGS = {"attack_success_8bit": "Success, 8 bits"}


@panel("attack_table")
def attack_table(material: Material) -> Sequence[Block]:
    lines: dict[tuple[str, ...], dict[str, Finding]] = {}
    for metric in METRICS:
        for f in material.stressed(metric):
            if material.kind_of(f.stress) == "attack" and f.defence == "none":
                key = (f.stress, f.variant, f"{epsilon(f):.9f}", str(sorted(f.params.items())))
                lines.setdefault(key, {})[metric] = f
    rows: list[list[str | Cell]] = [
        [setting(next(iter(found.values()))), *(rate_cell(found.get(m)) for m in METRICS)]
        for found in lines.values()
    ]
    if not rows:
        return []
    columns = ["Stress", *(HEADINGS.get(m, metric_name(m).capitalize()) for m in METRICS)]
    note = (
        "95% CI · k/n below each value. † imprecise. No success: no failure found by this search "
        "at this level in these images."
    )
    caption = "Decisions that stand under attack"
    numeric = frozenset(range(1, len(columns)))
    return [Table(caption, columns, rows, note, numeric, (25, 15, 15, 15, 15, 15))]


@panel("defence_pairs")
def defence_pairs(material: Material) -> Sequence[Block]:
    found: list[Block] = []
    defences = dict.fromkeys(f.defence for f in material.results.findings if f.defence != "none")
    referring = [name for name in defences if only_refers(material, name)]
    for defence in defences:
        if defence not in referring:
            found += _pairs(material, defence)
    return [*found, *([Text(referring_words(referring), "Referral.")] if referring else [])]


def _pairs(material: Material, defence: str) -> list[Block]:
    names, pairs = [], []
    rows: list[list[str | Cell]] = []
    for metric in PAIRED:
        for f in material.results.find(metric, group={}, contrast=None, defence=defence):
            before = _undefended(material, f)
            if before is None or metric.startswith("robust") != (f.stress != "clean"):
                continue
            if f.stress == "worst_case" and f.value is None:
                continue  # of too few common cases; its attacks stand by themselves
            words = f"{metric_name(metric)}: {setting(f)}"
            rows.append([words, rate_cell(before), rate_cell(f), _paired(material, f)])
            if f.value is not None and before.value is not None:
                names.append(words)
                pairs.append((before, f))
    if not rows:
        return []
    name = defence_name(defence)
    note = (
        "The attack goes through the defence, unless its images were made without it. The paired "
        "difference is over the cases both examined; where the samples differ, the two columns "
        "are not of the same cases."
    )
    columns = ["Setting", "Without", "With", "Paired difference (95% CI)"]
    table = Table(
        f"Before and after: {name}", columns, rows, note, frozenset({1, 2, 3}), (37, 20, 20, 23)
    )
    if not pairs:
        return [table]
    shown = slice(0, MOST_DRAWN)
    caption = f"Without and with {name}: value and 95% CI."
    alt = f"Two points per setting, without and with {name}; the numbers are in the table below."
    picture = before_after(names[shown], pairs[shown], ("without", f"with {name}"), caption)
    return [Figure(picture, alt, caption), table]


def _paired(material: Material, f: Finding) -> str | Cell:
    for other in material.results.find(
        f.metric, stress=f.stress, group={}, defence=f.defence, contrast="defence=none"
    ):
        if other.variant == f.variant and other.params == f.params:
            if other.value is None:
                return rate_cell(other)
            value, _, rest = difference(other).partition(" (95% CI ")
            return Cell(value, sub=rest.removesuffix(")"))
    return Cell("–", sub="not computed")


@panel("one_pixel")
def one_pixel(material: Material) -> Sequence[Block]:
    if not any(run.stress == "one_pixel" for run in material.results.plan.runs):
        return []
    words = (
        "Success against the query budget and magnified insets are not computed in this version; "
        "the table above gives success at the full budget of this run."
    )
    return [Text(words, "One pixel.")]


def _undefended(material: Material, f: Finding) -> Finding | None:
    """The same without the defence; images made without it are those of the plain attack there."""
    borrowed = f.params.get("surrogate", "")
    made_on = "" if borrowed == UNDEFENDED else borrowed
    same = [
        other
        for other in material.results.find(f.metric, stress=f.stress, group={}, defence="none")
        if other.variant == f.variant
        and epsilon(other) == epsilon(f)
        and other.contrast is None
        and other.params.get("surrogate", "") == made_on
    ]
    alike = [other for other in same if _settings(other) == _settings(f)]
    return next(iter(alike or same), None)


def _settings(f: Finding) -> dict[str, Scalar]:
    return {n: value for n, value in f.params.items() if n not in ("surrogate", "stop_early")}

"""Chapter 1: both models without stress."""

from __future__ import annotations

from collections.abc import Sequence

from audit.compare.results import Difference
from reports.blocks import Block, Cell, Table, Text
from reports.comparison.material import ComparisonMaterial
from reports.comparison.words import (
    answer,
    change_cell,
    half_width,
    holm_text,
    metric_cell,
)
from reports.language import N_, _
from reports.numbers import defence_name, metric_name, sentence
from reports.p_values import p_text

METRICS = ("sensitivity", "specificity", "accuracy", "auroc")
MOST_DEFENCES = 30
NOTE = N_(
    "New − Base on the same cases, in points (AUROC: in its own unit). Counts k/n and the 95% CI "
    "stand below each number. Bold: the interval lies off 0; *: p below .05 after Holm's "
    "adjustment too. Could show: half the width of the interval, about the smallest difference "
    "that these cases could have shown."
)


def without_stress(material: ComparisonMaterial) -> Sequence[Block]:
    """Each metric under both models, their paired difference and what it could have shown."""
    known = [d for d in (material.clean(metric) for metric in METRICS) if d is not None]
    if not known:
        return [Text(_("Nothing was compared without stress."))]
    columns = [
        _("Metric"),
        _("Base"),
        _("New"),
        _("Difference"),
        _("p"),
        _("p, Holm"),
        _("Lost, gained"),
        _("Could show"),
        _("In words"),
    ]
    rows = [_row(one) for one in known]
    widths = (15, 9, 9, 15, 8, 8, 9, 13, 14)
    numeric = frozenset({1, 2, 3, 4, 5})
    return [Table(_("Without stress"), columns, rows, _(NOTE), numeric, widths)]


def _row(one: Difference) -> list[str | Cell]:
    changed = "–" if one.lost is None else f"{one.lost}, {one.gained or 0}"
    return [
        sentence(metric_name(one.metric)),
        metric_cell(one, "base"),
        metric_cell(one, "new"),
        change_cell(one),
        p_text(one.p),
        holm_text(one),
        changed,
        half_width(one),
        answer(one),
    ]


def with_defences(material: ComparisonMaterial) -> Sequence[Block]:
    """The same under each defence that both audits have: a matrix of differences."""
    names = material.defences
    if not names:
        return []
    rows: list[list[str | Cell]] = [
        [
            defence_name(name),
            *(change_cell(material.clean(metric, defence=name)) for metric in METRICS),
        ]
        for name in names[:MOST_DEFENCES]
    ]
    columns = [_("Defence"), *(sentence(metric_name(metric)) for metric in METRICS)]
    note = _("Both models under the same defence; New − Base, read as in the table above.")
    caption = _("Without stress, under a defence")
    numeric = frozenset(range(1, len(columns)))
    return [Table(caption, columns, rows, note, numeric, (32, 17, 17, 17, 17))]

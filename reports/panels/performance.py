"""Section 4: the two-by-two table, rates."""

from __future__ import annotations

from collections.abc import Sequence

from reports.blocks import Block, Cell, Table
from reports.material import Material
from reports.numbers import metric_name, ratio, short
from reports.panels.registry import panel

CLEAN = ("sensitivity", "specificity", "accuracy", "precision", "f1", "auroc")


@panel("two_by_two")
def two_by_two(material: Material) -> Sequence[Block]:
    sens, spec = material.clean("sensitivity"), material.clean("specificity")
    if not (sens and spec) or sens.events is None or spec.events is None:
        return []
    positive = material.results.model.positive_class
    rows: list[list[str | Cell]] = [
        [Cell(f"labelled {positive}", strong=True), str(sens.events), str(sens.n - sens.events)],
        [Cell("labelled otherwise", strong=True), str(spec.n - spec.events), str(spec.events)],
    ]
    columns = ["", f"decided {positive}", "decided otherwise"]
    note = "At the deployed threshold. A decision that is not a number counts as wrong."
    return [
        Table(
            "Two-by-two table", columns, rows, note, numeric=frozenset({1, 2}), widths=(36, 32, 32)
        )
    ]


@panel("clean_table")
def clean_table(material: Material) -> Sequence[Block]:
    known = [f for f in (material.clean(metric) for metric in CLEAN) if f is not None]
    rows = [[metric_name(f.metric), short(f), ratio(f), f.method or f.reason or "–"] for f in known]
    if not rows:
        return []
    columns = ["Metric", "Value (95% CI)", "k/n", "Method of the interval"]
    note = "† imprecise: half-width over 10 points."
    return [
        Table(
            "Performance without stress", columns, rows, note, frozenset({1, 2}), (28, 30, 16, 26)
        )
    ]

"""Frontal against lateral: the same models on the images of each view."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.cells import rate_cell
from reports.study.figures.dots import dots
from reports.study.material import StudyMaterial

ATTRIBUTE = "view"
METRICS = {"accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity"}
MOST_VALUES = 5


def by_view(material: StudyMaterial) -> Sequence[Block]:
    """A chart of every metric by view, and a table of each."""
    values = material.groups(ATTRIBUTE)[:MOST_VALUES]
    if len(values) < 2:
        return [Text("Not computed: the test split names fewer than two views.", "By view.")]
    names = [material.label(model.name) for model in material.done]
    cells = {metric: _cells(material, metric, values) for metric in METRICS}
    shown = {m: found for m, found in cells.items() if any(any(line) for line in found.values())}
    panes = {METRICS[m]: series for m, series in shown.items() if _drawable(series)}
    caption = (
        f"{', '.join(panes)} by view ({', '.join(values)}), with 95% CI. The views differ in their "
        "share of positives and in which patients they show; a gap is not explained by this."
    )
    alt = f"{caption.partition('.')[0]}, one row per model. The numbers are in the tables below."
    tables = [_table(material, metric, values, found) for metric, found in shown.items()]
    if not panes:
        return tables
    picture = dots(names, panes, caption, (_bottom(panes), 1.0))
    return [Figure(picture, alt, caption), *tables]


def _drawable(series: Mapping[str, Sequence[Finding | None]]) -> bool:
    return any(f is not None and f.value is not None for line in series.values() for f in line)


def _bottom(panes: Mapping[str, Mapping[str, Sequence[Finding | None]]]) -> float:
    """The axis begins a tenth below the lowest limit: points, unlike bars, need no zero."""
    found = [f for series in panes.values() for line in series.values() for f in line if f]
    lows = [f.value if f.low is None else f.low for f in found if f.value is not None]
    return max(0.0, math.floor(10 * min(lows, default=0.0)) / 10)


def _cells(
    material: StudyMaterial, metric: str, values: Sequence[str]
) -> dict[str, list[Finding | None]]:
    return {
        value: [material.found(model, metric, {ATTRIBUTE: value}) for model in material.done]
        for value in values
    }


def _table(
    material: StudyMaterial,
    metric: str,
    values: Sequence[str],
    found: dict[str, list[Finding | None]],
) -> Table:
    rows: list[list[str | Cell]] = [
        [
            material.label(model.name),
            rate_cell(material.found(model, metric)),
            *(rate_cell(found[value][at]) for value in values),
        ]
        for at, model in enumerate(material.done)
    ]
    columns = ["Model", "all", *values]
    share = 70 // (len(columns) - 1)
    widths = (100 - share * (len(columns) - 1), *(share for _ in columns[1:]))
    note = "95% CI · k/n below each value. † imprecise. Too few: under 10 to count by."
    title = f"{METRICS[metric]} by view"
    return Table(title, columns, rows, note, frozenset(range(1, len(columns))), widths)

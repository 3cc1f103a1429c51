"""The label from metadata alone: how well, by which attribute, and how much of the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from audit.draws import generator
from audit.findings.measure import finding, with_value
from audit.findings.view import Bools, Floats, Ints, Label
from audit.metrics.auroc import auroc_interval
from audit.metrics.bootstrap import patient_sums, percentile_limits
from audit.metrics.interval import Interval
from audit.metrics.multiplicity import holm
from audit.metrics.within import within_auroc
from audit.probes.shortcuts.fit import (
    classified,
    folds_of,
    procedure_p,
    ranks,
    regressed,
    shuffles,
)
from audit.probes.shortcuts.table import Column, Table
from audit.results import Finding, Scalar

PERMUTED_FITS = 119  # of the whole procedure: the least p-value is 1/120
PERMUTED_COUNTS = 1999  # of the counts by attribute, at least
PER_ATTRIBUTE = 200  # so that Holm over the attributes can still reach 1/100
ALPHA = 0.01
FAMILY = "shortcuts: label by attribute"
Check = Callable[[], None]


@dataclass(frozen=True)
class Telling:
    """Where an attribute and the label meet most unevenly: `value` in k of m and of n."""

    value: str
    with_label: int
    positives: int
    without: int
    negatives: int


def clean(metric: str, params: dict[str, Scalar], n: int, assumed: bool) -> Finding:
    """A finding without stress and still without a value."""
    return finding(metric, Label("clean", "none", "clean", params), {}, n=n, independent=assumed)


def label_findings(table: Table, seed: int, permutations: int, check: Check) -> list[Finding]:
    """`metadata_auroc` of all attributes together and of each, tested against moved labels."""
    n = len(table.cases)
    starts = [clean("metadata_auroc", {}, n, table.assumed)]
    starts += [
        clean("metadata_auroc", {"attribute": column.name}, n, table.assumed)
        for column in table.columns
    ]
    if table.too_few:
        return [start.model_copy(update={"reason": table.too_few}) for start in starts]
    fold = folds_of(table.patients, table.positive, generator(seed, "shortcuts", "folds"))
    whole = _auroc(starts[0], table, table.one_hot(table.columns), fold)
    whole = whole.model_copy(update={"p": _whole_p(table, whole, seed, permutations, check)})
    alone = [
        _auroc(start, table, column.one_hot, fold)
        for start, column in zip(starts[1:], table.columns, strict=True)
    ]
    p_values = attribute_p(table, seed, check)
    adjusted = holm(p_values)
    told = zip(alone, p_values, adjusted, strict=True)
    return [whole] + [
        one.model_copy(update={"p": p, "p_holm": q, "family": FAMILY}) for one, p, q in told
    ]


def _auroc(start: Finding, table: Table, columns: Floats, fold: Ints) -> Finding:
    said = classified(columns, table.positive, fold)
    found = within_auroc(said, table.positive, table.patients, fold, table.count)
    if found is None:
        return start.model_copy(update={"reason": "no fold holds both labels"})
    return with_value(start, found.area, auroc_interval(found))


def _whole_p(table: Table, whole: Finding, seed: int, most: int, check: Check) -> float | None:
    if whole.value is None:
        return None
    draw = generator(seed, "shortcuts", "folds of moved labels")
    columns = table.one_hot(table.columns)

    def area(labels: Bools) -> float:
        fold = folds_of(table.patients, labels, draw)
        said = classified(columns, labels, fold)
        found = within_auroc(said, labels, table.patients, fold, table.count)
        return 0.0 if found is None else found.area

    moved = shuffles(table.patients, generator(seed, "shortcuts", "moved labels"))
    return procedure_p(area, table.positive, whole.value, moved, most, check)


def attribute_p(table: Table, seed: int, check: Check) -> list[float]:
    """p-value of each attribute: χ² of its counts by label, among labels moved between patients."""
    hot = table.one_hot(table.columns)
    ends = np.cumsum([len(column.values) for column in table.columns])[:-1]
    expected = hot.sum(0) * table.positive.mean()
    most = max(PERMUTED_COUNTS, PER_ATTRIBUTE * len(table.columns))

    def squares(labels: Floats) -> Floats:
        """(B, n) -> (B, attributes), χ² up to a factor that is the same for every B."""
        parts = np.split((labels @ hot - expected) ** 2 / expected, ends, axis=1)
        return np.stack([part.sum(1) for part in parts], axis=1)

    found = squares(table.positive[None].astype(np.float64))[0]
    reached = np.zeros(len(table.columns), dtype=np.int64)
    moved = shuffles(table.patients, generator(seed, "shortcuts", "moved counts"))
    for start in range(0, most, 200):
        check()
        places = list(islice(moved, min(200, most - start)))
        drawn = squares(table.positive[np.array(places)].astype(np.float64))
        reached += (drawn >= found * (1 - 1e-9)).sum(0)
    return [float((count + 1) / (most + 1)) for count in reached]


def telling(table: Table, column: Column) -> Telling:
    """The value of an attribute whose share differs most between the labels, for its spread."""
    hot, positive = column.one_hot, table.positive
    ill, well = hot[positive].sum(0), hot[~positive].sum(0)
    expected = hot.sum(0) * positive.mean()
    spread = np.sqrt(np.maximum(hot.sum(0) * (1 - hot.mean(0)), 1e-9))
    # The value that is more frequent with the label, where two tell the same.
    place = int(np.argmax(np.round(np.abs(ill - expected) / spread, 6) + 1e-7 * (ill > expected)))
    return Telling(
        column.values[place], int(ill[place]), int(positive.sum()), int(well[place]),
        int((~positive).sum()),
    )  # fmt: skip


def score_finding(table: Table, seed: int) -> Finding:
    """`model_explained_by_metadata`: out-of-fold R² of the rank of the model's score."""
    start = clean("model_explained_by_metadata", {}, len(table.cases), table.assumed)
    target = ranks(table.score)
    if np.ptp(target) == 0:
        return start.model_copy(update={"reason": "the model gives every case the same score"})
    fold = folds_of(table.patients, table.positive, generator(seed, "shortcuts", "folds"))
    said = regressed(table.one_hot(table.columns), target, fold)
    errors = np.stack([(target - said) ** 2, (target - target.mean()) ** 2], axis=1)
    sums = patient_sums(table.frame.resampling(table.cases, stratified=False), errors)
    totals = table.frame.resampled(table.cases, sums, stratified=False).astype(np.float64)
    left, whole = errors.sum(0)
    low, high = percentile_limits((1 - totals[:, 0] / totals[:, 1])[:, None])
    limits = Interval(float(low[0]), float(high[0]), "patient bootstrap")
    return with_value(start, float(1 - left / whole), limits, proportion=False)

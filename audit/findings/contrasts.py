"""Differences between groups of one view, patient by patient where they share patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.findings.measure import Measured, finding, with_value
from audit.findings.proportions import Table, counts
from audit.findings.rates import FEWEST
from audit.metrics.auroc_difference import group_difference
from audit.metrics.bootstrap import percentile_limits
from audit.metrics.interval import Interval
from audit.metrics.proportion import newcombe
from audit.results import Finding

NEWCOMBE = "Newcombe"
NEWCOMBE_PATIENTS = "Newcombe on patients"
BOOTSTRAP = "patient bootstrap"
Pairs = Sequence[tuple[int, int]]


def group_contrasts(measured: Measured, pairs: Pairs) -> Iterator[Finding]:
    """Each pair of groups: group minus reference, for every rate but F1, and for the AUROC."""
    view = measured.view
    if view.share is not None or view.everyone_only or not pairs:
        return
    limits = _limits(measured.table, pairs)
    for m, rate in enumerate(measured.found):
        for p, pair in enumerate(pairs):
            if not rate.f1:
                yield _rate_gap(measured, m, pair, limits[m][p])
    if measured.rocs:
        for pair in pairs:
            yield _auroc_gap(measured, pair)


def _limits(table: Table, pairs: Pairs) -> list[list[Interval]]:
    """[rate][pair]: Newcombe, or the bootstrap where patients repeat within the two groups."""
    one, two = np.array(pairs).T
    joint = np.zeros((len(table.whole), len(pairs)), dtype=bool)
    if table.images is not None:
        joint |= (table.images[:, :, one] + table.images[:, :, two] > 1).any(axis=0)
    few = table.few[:, one] | table.few[:, two]
    careful = joint & few
    low, high = newcombe(*counts(table, careful, one), *counts(table, careful, two))
    method = np.where(careful, NEWCOMBE_PATIENTS, NEWCOMBE).astype("<U40")
    drawn = joint & ~few
    if table.draws is not None and drawn.any():
        gaps = table.draws[:, :, one] - table.draws[:, :, two]
        low[drawn], high[drawn] = percentile_limits(gaps[:, drawn])
        method[drawn] = BOOTSTRAP
    return [
        [
            Interval(float(low[m, p]), float(high[m, p]), str(method[m, p]))
            for p in range(len(pairs))
        ]
        for m in range(len(low))
    ]


def _rate_gap(measured: Measured, m: int, pair: tuple[int, int], limits: Interval) -> Finding:
    table, rate, at = measured.table, measured.found[m], list(pair)
    start = _start(
        measured,
        rate.metric,
        pair,
        n=int(table.whole[m, at].min()),
        assumed=bool(table.assumed[m, at].any()),
    )
    if table.needs[m, at].min() < FEWEST:
        return start.model_copy(update={"reason": f"fewer than {FEWEST} {rate.needed}"})
    one, two = table.part[m, at] / table.whole[m, at]
    return with_value(start, float(one - two), limits)


def _auroc_gap(measured: Measured, pair: tuple[int, int]) -> Finding:
    one, two = (measured.rocs[g] for g in pair)
    start = _start(
        measured,
        "auroc",
        pair,
        n=min(measured.sizes[g] for g in pair),
        assumed=any(measured.assumed[g] for g in pair),
    )
    if isinstance(one, str) or isinstance(two, str):
        reason = one if isinstance(one, str) else two
        return start.model_copy(update={"reason": reason})
    return with_value(start, one.area - two.area, group_difference(one, two))


def _start(
    measured: Measured, metric: str, pair: tuple[int, int], n: int, assumed: bool
) -> Finding:
    ((attribute, value),) = measured.names[pair[1]].items()
    group = measured.names[pair[0]]
    start = finding(metric, measured.view.label, group, n=n, independent=assumed)
    return start.model_copy(update={"contrast": f"{attribute}={value}"})

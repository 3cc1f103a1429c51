"""Differences between groups of one view, patient by patient where they share patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from audit.findings.measure import Measured, finding, with_value
from audit.findings.proportions import Table, counts
from audit.findings.rates import FEWEST
from audit.findings.view import Bools, Floats, Ints
from audit.metrics.auroc_difference import group_difference, group_p
from audit.metrics.bootstrap import percentile_limits
from audit.metrics.interval import Interval
from audit.metrics.p_values import clustered_groups, fisher
from audit.metrics.proportion import newcombe
from audit.results import Finding

NEWCOMBE = "Newcombe"
NEWCOMBE_PATIENTS = "Newcombe on patients"
BOOTSTRAP = "patient bootstrap"
Pairs = Sequence[tuple[int, int]]


def group_contrasts(measured: Measured, pairs: Pairs) -> Iterator[Finding]:
    """Each pair of groups: group minus reference, for every rate but F1, and for the AUROC, each
    with its two-sided p: Fisher's exact test, or patient by patient; for the AUROC DeLong's."""
    view = measured.view
    if view.share is not None or view.everyone_only or not pairs:
        return
    limits, p_values = _compared(measured.table, pairs)
    for m, rate in enumerate(measured.found):
        for k, pair in enumerate(pairs):
            if not rate.f1:
                yield _rate_gap(measured, m, pair, limits[m][k], p_values[m, k])
    if measured.rocs:
        for pair in pairs:
            yield _auroc_gap(measured, pair)


def _compared(table: Table, pairs: Pairs) -> tuple[list[list[Interval]], Floats]:
    """[rate][pair] intervals, and (M, K) p-values."""
    one, two = np.array(pairs).T
    few = table.few[:, one] | table.few[:, two]
    joint = _joint(table, one, two)
    return _limits(table, (one, two), joint, few), _p_values(table, (one, two), joint, few)


def _joint(table: Table, one: Ints, two: Ints) -> Bools:
    """(M, K) whether some patient has several images in the two groups together."""
    joint = np.zeros((len(table.whole), len(one)), dtype=bool)
    if table.images is not None:
        repeated = np.asarray((table.images > 1).any(axis=0))
        joint |= repeated[:, one] | repeated[:, two]
        for k in np.flatnonzero(~joint.all(axis=0)):
            both = (table.images[:, :, one[k]] > 0) & (table.images[:, :, two[k]] > 0)
            joint[:, k] |= both.any(axis=0)
    return joint


def _limits(
    table: Table, pairs: tuple[Ints, Ints], joint: Bools, few: Bools
) -> list[list[Interval]]:
    """Newcombe, or the bootstrap where patients repeat within the two groups."""
    one, two = pairs
    careful, drawn = joint & few, joint & ~few
    low, high = newcombe(*counts(table, careful, one), *counts(table, careful, two))
    method = np.where(careful, NEWCOMBE_PATIENTS, NEWCOMBE).astype("<U40")
    if table.draws is not None and drawn.any():
        gaps = table.draws[:, :, one] - table.draws[:, :, two]
        low[drawn], high[drawn] = percentile_limits(gaps[:, drawn])
        method[drawn] = BOOTSTRAP
    return [
        [Interval(float(low[m, k]), float(high[m, k]), str(method[m, k])) for k in range(len(one))]
        for m in range(len(low))
    ]


def _p_values(table: Table, pairs: tuple[Ints, Ints], joint: Bools, few: Bools) -> Floats:
    """Fisher's exact test of images or, when few patients repeat an event, of patients counted as
    if all images of one agreed; else a score test among patients."""
    one, two = pairs
    found = np.ones(joint.shape)
    drawn = joint & ~few
    if table.events is not None and table.images is not None and drawn.any():
        found = clustered_groups(table.events, table.images, one, two)
    careful = joint & few
    sides = [*counts(table, careful, one), *counts(table, careful, two)]
    events, n, other, m = (np.rint(side).astype(np.int64) for side in sides)
    for at in zip(*np.nonzero(~drawn & (np.minimum(n, m) > 0)), strict=True):
        found[at] = fisher(int(events[at]), int(n[at]), int(other[at]), int(m[at]))
    return found


def _rate_gap(
    measured: Measured, m: int, pair: tuple[int, int], limits: Interval, p: float
) -> Finding:
    table, rate, at = measured.table, measured.found[m], list(pair)
    start = _start(
        measured,
        rate.metric,
        pair,
        n=int(table.whole[m, at].min()),
        assumed=bool(table.assumed[m, at].any()),
        told=_reason(rate.needed) if table.needs[m, at].min() < FEWEST else {"p": float(p)},
    )
    if start.reason:
        return start
    one, two = table.part[m, at] / table.whole[m, at]
    return with_value(start, float(one - two), limits)


def _reason(needed: str) -> dict[str, str]:
    return {"reason": f"fewer than {FEWEST} {needed}"}


def _auroc_gap(measured: Measured, pair: tuple[int, int]) -> Finding:
    one, two = (measured.rocs[g] for g in pair)
    n = min(measured.sizes[g] for g in pair)
    assumed = any(measured.assumed[g] for g in pair)
    if isinstance(one, str) or isinstance(two, str):
        reason = one if isinstance(one, str) else two
        return _start(measured, "auroc", pair, n, assumed, {"reason": reason})
    start = _start(measured, "auroc", pair, n, assumed, {"p": group_p(one, two)})
    return with_value(start, one.area - two.area, group_difference(one, two))


def _start(
    measured: Measured,
    metric: str,
    pair: tuple[int, int],
    n: int,
    assumed: bool,
    told: Mapping[str, object],
) -> Finding:
    reference = ", ".join(f"{name}={value}" for name, value in measured.names[pair[1]].items())
    group = measured.names[pair[0]]
    start = finding(metric, measured.view.label, group, n=n, independent=assumed)
    return start.model_copy(update={"contrast": reference, **told})

"""Differences between groups of one view, patient by patient where they share patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.findings.measure import Measured, Said, area_change, finding, valued
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
    table = measured.table
    one, two = np.array(pairs).T
    sizes = np.minimum(table.whole[:, one], table.whole[:, two]).astype(np.int64).tolist()
    assumed = (table.assumed[:, one] | table.assumed[:, two]).tolist()
    known = _compared(table, one, two)
    for m, rate in enumerate(measured.found):
        few = Said(reason=f"fewer than {FEWEST} {rate.needed}")
        for k, pair in enumerate(pairs):
            if not rate.f1:
                said = known.get((m, k), few)
                yield _told(measured, rate.metric, pair, sizes[m][k], assumed[m][k], said)
    if measured.rocs:
        for pair in pairs:
            yield _auroc_gap(measured, pair)


def _compared(table: Table, one: Ints, two: Ints) -> dict[tuple[int, int], Said]:
    """What is said of the difference of rate m in pair k, where both groups have enough."""
    asked = (table.needs[:, one] >= FEWEST) & (table.needs[:, two] >= FEWEST)
    if not asked.any():
        return {}
    few = table.few[:, one] | table.few[:, two]
    joint = _joint(table, one, two)
    limits = _limits(table, (one, two), joint, few)
    p_values = _p_values(table, (one, two), joint, few, asked)
    with np.errstate(invalid="ignore"):  # where nobody is asked
        share = table.part / table.whole
    gaps = share[:, one] - share[:, two]
    return {
        (m, k): {**valued(gaps[m, k], limits[m][k]), "p": float(p_values[m, k])}
        for m, k in np.argwhere(asked).tolist()
    }


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
    """[rate][pair]: Newcombe, or the bootstrap where patients repeat within the two groups."""
    one, two = pairs
    careful, drawn = joint & few, joint & ~few
    low, high = newcombe(*counts(table, careful, one), *counts(table, careful, two))
    method = np.where(careful, NEWCOMBE_PATIENTS, NEWCOMBE).astype("<U40")
    if table.draws is not None and drawn.any():
        m, k = np.nonzero(drawn)
        low[drawn], high[drawn] = percentile_limits(
            table.draws[:, m, one[k]] - table.draws[:, m, two[k]]
        )
        method[drawn] = BOOTSTRAP
    rows = zip(low.tolist(), high.tolist(), method.tolist(), strict=True)
    return [list(map(Interval, *row)) for row in rows]


def _p_values(
    table: Table, pairs: tuple[Ints, Ints], joint: Bools, few: Bools, asked: Bools
) -> Floats:
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
    for at in zip(*np.nonzero(asked & ~drawn & (np.minimum(n, m) > 0)), strict=True):
        found[at] = fisher(int(events[at]), int(n[at]), int(other[at]), int(m[at]))
    return found


def _auroc_gap(measured: Measured, pair: tuple[int, int]) -> Finding:
    one, two = (measured.rocs[g] for g in pair)
    said = area_change(one, two, group_difference, group_p)
    n = min(measured.sizes[g] for g in pair)
    assumed = any(measured.assumed[g] for g in pair)
    return _told(measured, "auroc", pair, n, assumed, said)


def _told(
    measured: Measured,
    metric: str,
    pair: tuple[int, int],
    n: int,
    assumed: bool,
    said: Said,
) -> Finding:
    reference = ", ".join(f"{name}={value}" for name, value in measured.names[pair[1]].items())
    group, label = measured.names[pair[0]], measured.view.label
    return finding(metric, label, group, n=n, independent=assumed, contrast=reference, **said)

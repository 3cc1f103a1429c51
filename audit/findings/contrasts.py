"""Differences between groups of one view, patient by patient where they share patients."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.findings.frame import Frame
from audit.findings.measure import finding, too_few, with_value
from audit.findings.proportions import Array, Table, tabulate
from audit.findings.rates import FEWEST, Rate, rates, truth
from audit.findings.view import Bools, Ints, View
from audit.metrics.auroc_difference import group_auroc_difference
from audit.metrics.bootstrap import percentile_limits, resampled_ratios
from audit.metrics.interval import Interval
from audit.metrics.proportion import newcombe
from audit.results import Finding

NEWCOMBE = "Newcombe"
NEWCOMBE_PATIENTS = "Newcombe on patients"
BOOTSTRAP = "patient bootstrap"


def group_contrasts(frame: Frame, view: View) -> Iterator[Finding]:
    """Each pair of groups: group minus reference, for every rate but F1, and for the AUROC."""
    pairs = frame.groups.pairs
    if view.share is not None or view.everyone_only or not pairs:
        return
    found = [rate for rate in rates(frame.predictions, view) if not rate.f1]
    members = frame.groups.members[view.cases]
    table = tabulate(frame, view.cases, found, members)
    for m, rate in enumerate(found):
        limits = _limits(frame, view, table, m)
        for (group, reference), interval in zip(pairs, limits, strict=True):
            yield _rate_gap(frame, view, rate, table, (m, group, reference), interval)
    if not view.kept_only:
        for group, reference in pairs:
            yield _auroc_gap(frame, view, group, reference)


def _limits(frame: Frame, view: View, table: Table, m: int) -> list[Interval]:
    """One interval per pair: Newcombe, or the bootstrap where patients repeat in the two."""
    one, two = np.array(frame.groups.pairs).T
    columns = m * table.whole.shape[1]
    joint: Bools = np.zeros(len(one), dtype=bool)
    if table.sums is not None:
        both = table.sums[1][:, columns + one] + table.sums[1][:, columns + two]
        joint = np.asarray((both > 1).any(axis=0))
    few = table.few[m, one] | table.few[m, two]
    careful = joint & few
    low, high = newcombe(*_counts(table, m, one, careful), *_counts(table, m, two, careful))
    method = np.where(careful, NEWCOMBE_PATIENTS, NEWCOMBE).astype("<U40")
    drawn = np.flatnonzero(joint & ~few)
    if table.sums is not None and len(drawn):
        top, bottom = table.sums
        sides = [
            resampled_ratios(frame.resampling(view.cases), top[:, at], bottom[:, at])
            for at in (columns + one[drawn], columns + two[drawn])
        ]
        low[drawn], high[drawn] = percentile_limits(sides[0] - sides[1])
        method[drawn] = BOOTSTRAP
    return [Interval(float(a), float(b), str(c)) for a, b, c in zip(low, high, method, strict=True)]


def _counts(table: Table, m: int, groups: Ints, on_patients: Bools) -> tuple[Array, Array]:
    """Events and trials of each group: images, or as many trials as there are patients."""
    trials = np.where(on_patients, table.patients[m, groups], table.whole[m, groups])
    share = table.part[m, groups] / np.maximum(table.whole[m, groups], 1)
    return share * trials, trials


def _rate_gap(
    frame: Frame, view: View, rate: Rate, table: Table, at: tuple[int, int, int], limits: Interval
) -> Finding:
    m, group, reference = at
    n = int(min(table.whole[m, group], table.whole[m, reference]))
    assumed = bool(table.assumed[m, group] or table.assumed[m, reference])
    start = _start(frame, view, rate.metric, (group, reference), n, assumed)
    if min(table.needs[m, group], table.needs[m, reference]) < FEWEST:
        return start.model_copy(update={"reason": f"fewer than {FEWEST} {rate.needed}"})
    values = [float(table.part[m, g] / table.whole[m, g]) for g in (group, reference)]
    return with_value(start, values[0] - values[1], limits)


def _auroc_gap(frame: Frame, view: View, group: int, reference: int) -> Finding:
    positive = truth(frame.predictions, view)
    masks = [frame.groups.members[view.cases, g] for g in (group, reference)]
    either = masks[0] | masks[1]
    assumed = not bool(frame.known[view.cases[either]].all())
    n = int(min(masks[0].sum(), masks[1].sum()))
    start = _start(frame, view, "auroc", (group, reference), n, assumed)
    reason = too_few(positive[masks[0]]) or too_few(positive[masks[1]])
    if reason is not None:
        return start.model_copy(update={"reason": reason})
    patients = frame.patients[view.cases]
    value, limits = group_auroc_difference(view.score, positive, patients, masks[0], masks[1])
    return with_value(start, value, limits)


def _start(
    frame: Frame, view: View, metric: str, pair: tuple[int, int], n: int, assumed: bool
) -> Finding:
    names = frame.groups.names
    ((attribute, value),) = names[pair[1]].items()
    start = finding(metric, view.label, names[pair[0]], n=n, independent=assumed)
    return start.model_copy(update={"contrast": f"{attribute}={value}"})

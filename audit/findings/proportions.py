"""Rates of one view in every group at once, each with its one interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.findings.distinct import Split, distinct, split
from audit.findings.frame import Frame
from audit.findings.rates import Rate
from audit.findings.view import Bools, Ints
from audit.metrics.bootstrap import patient_sums, percentile_limits
from audit.metrics.interval import LEVEL, Interval
from audit.metrics.proportion import clopper_pearson

Array = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
EXACT = "Clopper-Pearson"
PATIENTS = "Clopper-Pearson on patients"
BOOTSTRAP = "patient bootstrap"
ONE_SIDED = ", one-sided"
FEW = 10  # patients with and without an event that the bootstrap's percentiles need


@dataclass(frozen=True)
class Table:
    """(M, G) arrays for M rates in G groups. `part`, `whole`, `needs`: sums over cases.

    `patients`: distinct patients in the denominator; `clustered`: some of them repeat;
    `few`: too few patients with (or without) an event for percentiles; `assumed`: some
    patient is unknown. `events`, `images` (P, M, G) per patient and `draws` (B, M, G) of the
    bootstrap: None where no patient of the sample repeats, and NaN or None where `few`.
    """

    part: Array
    whole: Array
    needs: Array
    patients: Array
    clustered: Bools
    few: Bools
    assumed: Bools
    events: Single | None = None
    images: Single | None = None
    draws: Array | None = None


def tabulate(frame: Frame, cases: Ints, found: Sequence[Rate], members: Bools) -> Table:
    """Count `found` over `cases` in each column of `members` (n, G)."""
    part = np.stack([rate.part for rate in found], axis=1).astype(np.float32)  # (n, M)
    whole = np.stack([rate.whole for rate in found], axis=1).astype(np.float32)
    needs = np.stack([rate.needs for rate in found], axis=1).astype(np.float32)
    inside = members.astype(np.float32)  # (n, G)
    unknown = inside * ~frame.known[cases][:, None]
    total = (whole.T @ inside).astype(np.float64)
    fraction = np.array([rate.part.dtype != bool for rate in found])[:, None]
    none = np.zeros(total.shape, dtype=bool)
    plain = Table(
        part=(part.T.astype(np.float64) @ inside),
        whole=total,
        needs=(needs.T @ inside).astype(np.float64),
        patients=total,
        clustered=none,
        few=none,
        # An empty denominator is as independent as the group it was sought in.
        assumed=np.asarray((whole.T @ unknown > 0) | ((total == 0) & unknown.any(axis=0))),
    )
    if not fraction.any() and not frame.repeats(cases):
        return plain
    strata = np.array([rate.one_outcome for rate in found])
    return _by_patient(frame, cases, plain, (part, whole, inside), fraction, strata)


def _by_patient(
    frame: Frame,
    cases: Ints,
    plain: Table,
    columns: tuple[Single, Single, Single],
    forced: Bools,
    strata: Bools,
) -> Table:
    """The same counts with patients as the unit, and their resamples.

    `forced` (M, 1): rates that are means of fractions. `strata` (M,): rates of one outcome.
    """
    part, whole, inside = columns
    parts = _each if forced.any() else split
    groups = parts(inside)
    top = _Sums(frame, cases, part, inside, groups)
    bottom = _Sums(frame, cases, whole, inside, groups)
    events, images = top.of_patients(), bottom.of_patients()
    few = np.minimum((events > 0).sum(axis=0), (images - events > 0).sum(axis=0)) < FEW
    drawn = np.flatnonzero(~few.all(axis=0))
    return Table(
        part=plain.part,
        whole=plain.whole,
        needs=plain.needs,
        patients=(images > 0).sum(axis=0).astype(np.float64),
        clustered=(images > 1).any(axis=0) | forced,
        few=few,
        assumed=plain.assumed,
        events=events,
        images=images,
        draws=_draws(top, bottom, strata, ~few, drawn, parts(inside[:, drawn]))
        if len(drawn)
        else None,
    )


def _each(inside: Single) -> Split:
    """Every group for itself: the rest of fractions would be 0 up to rounding only."""
    groups = inside.shape[1]
    return Split(groups, np.arange(groups))


class _Sums:
    """Sums of some columns in every group, by patient and by resample; equal columns once."""

    def __init__(
        self, frame: Frame, cases: Ints, columns: Single, inside: Single, groups: Split
    ) -> None:
        self.frame, self.cases = frame, cases
        first, self.kind = distinct(columns)
        spread = _spread(columns[:, first], inside[:, groups.free])
        sums = patient_sums(frame.resampling(cases, stratified=False), spread)
        self.sums = groups.fill(sums.reshape(len(sums), len(first), -1))  # (P, U, G)

    def of_patients(self) -> Single:
        """(P, M, G)."""
        return self.sums[:, self.kind]

    def resampled(
        self, mine: Bools, groups: Ints, parts: Split, *, stratified: bool, keep: bool = False
    ) -> Single:
        """(B, m, g) of the columns `mine` (M,) in these `groups` (g,), of which `parts`."""
        used, kind = np.unique(self.kind[mine], return_inverse=True)
        flat = self.sums[:, used][:, :, groups[parts.free]].reshape(len(self.sums), -1)
        totals = self.frame.resampled(self.cases, flat, stratified=stratified, keep=keep)
        filled = parts.fill(totals.reshape(len(totals), len(used), -1))
        return np.asarray(filled[:, kind])


def _draws(
    top: _Sums, bottom: _Sums, strata: Bools, wanted: Bools, groups: Ints, parts: Split
) -> Array:
    """Resampled ratios (B, M, G), NaN without a denominator, and where not `wanted` (M, G): most
    of them in the small samples that are stressed. `groups`: those with any wanted."""
    draws = np.full((top.frame.resamples, *wanted.shape), np.nan)
    for stratified in (False, True):
        mine = wanted.any(axis=1) & (strata == stratified)
        if not mine.any():
            continue
        above = top.resampled(mine, groups, parts, stratified=stratified)
        below = bottom.resampled(mine, groups, parts, stratified=stratified, keep=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = np.where(below > 0, above / below, np.nan)
        for m, ratio in zip(np.flatnonzero(mine), ratios.swapaxes(0, 1), strict=True):
            draws[:, m, groups] = ratio
    return draws


def _spread(columns: Single, inside: Single) -> Single:
    """(n, M) and (n, G) -> (n, M·G)."""
    return (columns[:, :, None] * inside[:, None, :]).reshape(len(columns), -1)


def intervals(table: Table, upper_only: npt.ArrayLike = False) -> list[list[Interval]]:
    """`limits` as [rate][group]."""
    rows = zip(*(found.tolist() for found in limits(table, upper_only)), strict=True)
    return [list(map(Interval, *row)) for row in rows]


def limits(
    table: Table, upper_only: npt.ArrayLike = False
) -> tuple[Array, Array, npt.NDArray[np.str_]]:
    """(M, G) lower and upper limits and the name of each one's method.

    `upper_only` (M,): those rates get the upper limit of a one-sided 95% interval from 0.
    """
    low, high, method = _limits(table, LEVEL, slice(None))
    asked = np.flatnonzero(np.broadcast_to(np.asarray(upper_only, dtype=bool), len(low)))
    if len(asked):
        beyond = 2 * LEVEL - 1  # as much beyond one end as LEVEL leaves beyond both
        _, high[asked], names = _limits(table, beyond, asked)
        low[asked], method[asked] = 0.0, np.char.add(names, ONE_SIDED)
    return low, high, method


def _limits(
    table: Table, level: float, rates: slice | Ints
) -> tuple[Array, Array, npt.NDArray[np.str_]]:
    careful = table.clustered & table.few
    events, trials = counts(table, careful, slice(None))
    low, high = clopper_pearson(events[rates], trials[rates], level)
    method = np.where(careful[rates], PATIENTS, EXACT).astype("<U40")
    drawn = (table.clustered & ~table.few)[rates]
    if table.draws is not None and drawn.any():
        low[drawn], high[drawn] = percentile_limits(table.draws[:, rates][:, drawn], level)
        method[drawn] = BOOTSTRAP
    return low, high, method


def counts(table: Table, on_patients: Bools, groups: slice | Ints) -> tuple[Array, Array]:
    """(M, …) events and trials of these groups: of images, or as many trials as patients."""
    whole = table.whole[:, groups]
    trials = np.where(on_patients, table.patients[:, groups], whole)
    return table.part[:, groups] / np.maximum(whole, 1) * trials, trials

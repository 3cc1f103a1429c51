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
from audit.metrics.interval import LEVEL
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
    bootstrap: None where no patient of the sample repeats.
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
    # The rest of fractions would be 0 up to rounding only.
    groups = Split(inside.shape[1], np.arange(inside.shape[1])) if forced.any() else split(inside)
    top = _Sums(frame, cases, part, inside, groups)
    bottom = _Sums(frame, cases, whole, inside, groups)
    events, images = top.of_patients(), bottom.of_patients()
    return Table(
        part=plain.part,
        whole=plain.whole,
        needs=plain.needs,
        patients=(images > 0).sum(axis=0).astype(np.float64),
        clustered=(images > 1).any(axis=0) | forced,
        few=np.minimum((events > 0).sum(axis=0), (images - events > 0).sum(axis=0)) < FEW,
        assumed=plain.assumed,
        events=events,
        images=images,
        draws=_draws(top, bottom, strata),
    )


class _Sums:
    """Sums of some columns in every group, by patient and by resample; equal columns once."""

    def __init__(
        self, frame: Frame, cases: Ints, columns: Single, inside: Single, groups: Split
    ) -> None:
        self.frame, self.cases, self.groups = frame, cases, groups
        first, self.kind = distinct(columns)
        spread = _spread(columns[:, first], inside[:, groups.free])
        sums = patient_sums(frame.resampling(cases, stratified=False), spread)
        self.sums = sums.reshape(len(sums), len(first), len(groups.free))  # (P, U, F)

    def of_patients(self) -> Single:
        """(P, M, G)."""
        return self.groups.fill(self.sums)[:, self.kind]

    def resampled(self, mine: Bools, *, stratified: bool, keep: bool = False) -> Single:
        """(B, m, G) of the columns `mine` (M,)."""
        used, kind = np.unique(self.kind[mine], return_inverse=True)
        flat = self.sums[:, used].reshape(len(self.sums), -1)
        totals = self.frame.resampled(self.cases, flat, stratified=stratified, keep=keep)
        filled = self.groups.fill(totals.reshape(len(totals), len(used), -1))
        return np.asarray(filled[:, kind])


def _draws(top: _Sums, bottom: _Sums, strata: Bools) -> Array:
    """Resampled ratios (B, M, G), NaN without a denominator."""
    draws = np.empty((top.frame.resamples, len(strata), top.groups.groups))
    for stratified in (False, True):
        mine = strata == stratified
        if not mine.any():
            continue
        above = top.resampled(mine, stratified=stratified)
        below = bottom.resampled(mine, stratified=stratified, keep=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            draws[:, mine] = np.where(below > 0, above / below, np.nan)
    return draws


def _spread(columns: Single, inside: Single) -> Single:
    """(n, M) and (n, G) -> (n, M·G)."""
    return (columns[:, :, None] * inside[:, None, :]).reshape(len(columns), -1)


def limits(
    table: Table, upper_only: npt.ArrayLike = False
) -> tuple[Array, Array, npt.NDArray[np.str_]]:
    """(M, G) lower and upper limits and the name of each one's method.

    `upper_only` (M,): those rates get the upper limit of a one-sided 95% interval from 0.
    """
    two = _limits(table, LEVEL)
    one_sided = np.broadcast_to(np.asarray(upper_only, dtype=bool), len(table.whole))
    if not one_sided.any():
        return two
    low, high, method = two
    _, upper, names = _limits(table, 2 * LEVEL - 1)  # as much beyond one end as LEVEL leaves
    at = one_sided[:, None]
    told = np.char.add(names, ONE_SIDED)
    return np.where(at, 0.0, low), np.where(at, upper, high), np.where(at, told, method)


def _limits(table: Table, level: float) -> tuple[Array, Array, npt.NDArray[np.str_]]:
    careful = table.clustered & table.few
    events, trials = counts(table, careful, slice(None))
    low, high = clopper_pearson(events, trials, level)
    method = np.where(careful, PATIENTS, EXACT).astype("<U40")
    drawn = table.clustered & ~table.few
    if table.draws is not None and drawn.any():
        low[drawn], high[drawn] = percentile_limits(table.draws[:, drawn], level)
        method[drawn] = BOOTSTRAP
    return low, high, method


def counts(table: Table, on_patients: Bools, groups: slice | Ints) -> tuple[Array, Array]:
    """(M, …) events and trials of these groups: of images, or as many trials as patients."""
    whole = table.whole[:, groups]
    trials = np.where(on_patients, table.patients[:, groups], whole)
    return table.part[:, groups] / np.maximum(whole, 1) * trials, trials

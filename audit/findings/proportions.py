"""Rates of one view in every group at once, each with its one interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.findings.frame import Frame
from audit.findings.rates import Rate
from audit.findings.view import Bools, Ints
from audit.metrics.bootstrap import patient_sums, percentile_limits, resampled_ratios
from audit.metrics.proportion import clopper_pearson

Array = npt.NDArray[np.float64]
EXACT = "Clopper-Pearson"
PATIENTS = "Clopper-Pearson on patients"
BOOTSTRAP = "patient bootstrap"
FEW = 10  # patients with and without an event that the bootstrap's percentiles need


@dataclass(frozen=True)
class Table:
    """(M, G) arrays for M rates in G groups. `part` and `whole` are sums over cases.

    `patients`: distinct patients in the denominator; `clustered`: some of them repeat;
    `few`: too few patients with (or without) an event for percentiles; `sums`: (P, M·G)
    patient sums of numerator and denominator, None where nothing is clustered.
    """

    part: Array
    whole: Array
    needs: Array
    patients: Array
    clustered: Bools
    few: Bools
    assumed: Bools
    sums: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None


def tabulate(frame: Frame, cases: Ints, found: Sequence[Rate], members: Bools) -> Table:
    """Count `found` over `cases` in each column of `members` (n, G)."""
    part = np.stack([rate.part for rate in found], axis=1).astype(np.float32)  # (n, M)
    whole = np.stack([rate.whole for rate in found], axis=1)
    needs = np.stack([rate.needs for rate in found], axis=1)
    inside = members.astype(np.float32)  # (n, G)
    shape = (len(found), members.shape[1])
    unknown = (~frame.known[cases])[:, None] & members
    assumed = (whole.astype(np.float32).T @ unknown.astype(np.float32)) > 0
    fraction = np.array([rate.part.dtype != bool for rate in found])[:, None]
    total = whole.astype(np.float32).T @ inside
    hits = part.T @ inside
    needed = needs.astype(np.float32).T @ inside
    if not fraction.any() and len(np.unique(frame.patients[cases])) == len(cases):
        none = np.zeros(shape, dtype=bool)
        return Table(*_wide(hits, total, needed, total), none, none, assumed, None)
    resampling = frame.resampling(cases)
    top = patient_sums(resampling, _spread(part, inside))  # (P, M·G)
    bottom = patient_sums(resampling, _spread(whole.astype(np.float32), inside))
    patients = (bottom > 0).sum(axis=0).reshape(shape)
    with_event = (top > 0).sum(axis=0).reshape(shape)
    without = (bottom - top > 0).sum(axis=0).reshape(shape)
    clustered = (bottom > 1).any(axis=0).reshape(shape) | fraction
    few = np.minimum(with_event, without) < FEW
    return Table(*_wide(hits, total, needed, patients), clustered, few, assumed, (top, bottom))


def _wide(*columns: npt.NDArray[np.generic]) -> tuple[Array, Array, Array, Array]:
    one, two, three, four = (column.astype(np.float64) for column in columns)
    return one, two, three, four


def _spread(columns: npt.NDArray[np.float32], inside: npt.NDArray[np.float32]) -> npt.ArrayLike:
    """(n, M) and (n, G) -> (n, M·G)."""
    return (columns[:, :, None] * inside[:, None, :]).reshape(len(columns), -1)


def limits(frame: Frame, cases: Ints, table: Table) -> tuple[Array, Array, npt.NDArray[np.str_]]:
    """(M, G) lower and upper limits and the name of each one's method."""
    on_patients = table.clustered & table.few
    trials = np.where(on_patients, table.patients, table.whole)
    share = table.part / np.maximum(table.whole, 1)
    low, high = clopper_pearson(np.where(on_patients, share * trials, table.part), trials)
    method = np.where(on_patients, PATIENTS, EXACT).astype("<U40")
    drawn = np.flatnonzero(table.clustered & ~table.few)
    if table.sums is not None and len(drawn):
        top, bottom = (part[:, drawn] for part in table.sums)
        draws = resampled_ratios(frame.resampling(cases), top, bottom)
        low.flat[drawn], high.flat[drawn] = percentile_limits(draws)
        method.flat[drawn] = BOOTSTRAP
    return low, high, method

"""Resampling patients: one set of weights serves every rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.draws import generator
from audit.metrics.interval import LEVEL

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
_BLOCK = 300_000  # draws held at once: bounds memory whatever the number of patients


@dataclass(frozen=True)
class Resampling:
    """`patients` (N,): patient number of each case; `weights` (B, P): how often each was drawn.

    A byte each, since they are the largest thing findings keep. 256 draws of one patient do not
    happen: their number is binomial with mean 1, so the chance is below 1 / 256!.
    """

    patients: Ints
    weights: npt.NDArray[np.uint8]


def resample(patients: Ints, positive: Bools | None, resamples: int, seed: int) -> Resampling:
    """Draw patients with replacement, `resamples` times; apart for each outcome unless None.

    `patients` (N,) any integers. A patient with any positive image belongs to the positive
    stratum, so that every resample keeps the numbers of patients with and without: right for
    rates among the positives or among the negatives. A rate that mixes the two must not be
    stratified: it would take the share of positives for known.
    Source: Davison & Hinkley 1997, §3.8.
    """
    numbers = np.unique(patients, return_inverse=True)[1].astype(np.int64)
    count = int(numbers.max()) + 1 if len(numbers) else 0
    outcome = np.zeros(count, dtype=bool)
    if positive is not None:
        outcome = np.bincount(numbers[positive], minlength=count) > 0
    weights = np.zeros((resamples, count), dtype=np.uint8)
    for stratum in (False, True):
        members = np.flatnonzero(outcome == stratum)
        purpose = "everyone" if positive is None else f"positive {stratum}"
        rng = generator(seed, "patient bootstrap", purpose)
        weights[:, members] = _draw(rng, len(members), resamples)
    return Resampling(numbers, weights)


def _draw(rng: np.random.Generator, size: int, resamples: int) -> npt.NDArray[np.uint8]:
    counts = np.zeros((resamples, size), dtype=np.uint8)
    step = max(1, _BLOCK // max(1, size))
    for start in range(0, resamples if size else 0, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
        counts[start : start + rows] = np.bincount(drawn.ravel(), minlength=rows * size).reshape(
            rows, size
        )
    return counts


def patient_sums(resampling: Resampling, columns: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """(N, M) per case -> (P, M) per patient."""
    values = np.asarray(columns, dtype=np.float32)
    order = np.argsort(resampling.patients, kind="stable")
    starts = np.flatnonzero(np.diff(resampling.patients[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[order], starts, axis=0), dtype=np.float32)


def resampled_totals(
    resampling: Resampling, sums: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Patient sums (P, M) -> their total in each resample (B, M), a block of resamples at a time.

    Counts stay far below 2**24, so float32 sums are exact whatever the order of addition.
    """
    weights = resampling.weights
    out = np.empty((len(weights), sums.shape[1]), dtype=np.float32)
    step = max(1, _BLOCK // max(1, weights.shape[1]))
    for start in range(0, len(weights), step):
        out[start : start + step] = weights[start : start + step].astype(np.float32) @ sums
    return out


def resampled_ratios(
    resampling: Resampling, part: npt.NDArray[np.float32], whole: npt.NDArray[np.float32]
) -> Array:
    """Patient sums (P, M) of numerator and denominator -> (B, M) ratios, NaN where empty."""
    top = resampled_totals(resampling, part).astype(np.float64)
    bottom = resampled_totals(resampling, whole).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(bottom > 0, top / bottom, np.nan))


def percentile_limits(draws: Array, level: float = LEVEL) -> tuple[Array, Array]:
    """(B, M) -> the (M,) percentile limits, leaving out resamples without a denominator."""
    tails = [(1 - level) / 2, (1 + level) / 2]
    if np.isnan(draws).any():
        low, high = np.nanquantile(draws, tails, axis=0)
    else:
        low, high = np.quantile(draws, tails, axis=0)
    return np.asarray(low), np.asarray(high)

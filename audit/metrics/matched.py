"""AUROC where positives and negatives are made alike in attributes, by weights, not by a draw."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from audit.metrics.auroc import Array, Bools, Ints, Roc, covariance, roc, variance
from audit.metrics.interval import Interval, Z

METHOD = "DeLong, matched"
LARGE = 5  # of each label, for a stratum whose share is taken as estimated
NEARLY = 1e-7  # rounding of a variance of zero


class Matched(NamedTuple):
    """An AUROC after matching, its fall from the unmatched one with 95% limits and p-value."""

    roc: Roc
    change: float
    interval: Interval
    p: float


def overlap_weights(positive: npt.ArrayLike, strata: npt.ArrayLike) -> Array:
    """(N,) weight of each case: the share of the other label in its stratum.

    Positives and negatives then lie in the same proportions over the strata; a stratum of one
    label has no weight. Source: Li, Morgan & Zaslavsky 2018, doi:10.1080/01621459.2016.1260466.

    >>> overlap_weights([True, True, False, False, True], list("aaaab")).tolist()
    [0.5, 0.5, 0.5, 0.5, 0.0]
    """
    truth = np.asarray(positive, dtype=bool)
    place, ill, well = _counts(truth, np.asarray(strata))
    return np.asarray(np.where(truth, well[place], ill[place]) / (ill + well)[place])


def pairs_within(positive: npt.ArrayLike, strata: npt.ArrayLike) -> int:
    """How many disjoint pairs of a positive and a negative of the same stratum there are.

    >>> pairs_within([True, True, False, True], ["a", "a", "a", "b"])
    1
    """
    _, ill, well = _counts(np.asarray(positive, dtype=bool), np.asarray(strata))
    return int(np.minimum(ill, well).sum())


def matched_auroc(
    scores: Array, positive: Bools, patients: Ints, strata: Ints, count: int | None = None
) -> Matched:
    """AUROC of (N,) scores with positives and negatives alike over `strata` (N,), by weights.

    `patients` (N,): number of each case's patient, in [0, `count`), the unit of the error. Some
    stratum must hold both labels. The error takes the share of a large stratum as estimated and
    the weights in small ones (under 5 of a label) as given, since nothing can be estimated there.
    Source of the error: influence functions summed by patient, as in Obuchowski 1997,
    doi:10.2307/2533958.
    """
    total = int(patients.max()) + 1 if count is None else count
    plain = roc(scores, positive, patients, total)
    matched = _matched(scores, positive, patients, strata, total)
    change = matched.area - plain.area
    spread = variance(matched) + variance(plain) - 2 * covariance(matched, plain)
    return Matched(matched, change, *_tested(change, spread))


def _tested(value: float, spread: float) -> tuple[Interval, float]:
    if not math.isfinite(spread):
        return Interval(-1.0, 1.0, "none"), 1.0
    error = math.sqrt(max(spread, 0.0))
    if error < NEARLY:  # nothing was weighted down, or every stratum is of one score
        return Interval(value, value, METHOD), 1.0
    low, high = max(-1.0, value - Z * error), min(1.0, value + Z * error)
    return Interval(low, high, METHOD), float(2 * ndtr(-abs(value) / error))


def _matched(scores: Array, positive: Bools, patients: Ints, strata: Ints, total: int) -> Roc:
    """The matched AUROC, with what each patient adds to its error."""
    place, ill, well = _counts(positive, strata)
    weights = np.where(positive, well[place], ill[place]) / (ill + well)[place]
    placed = np.empty(len(scores))  # share of the other label's weight on the right side
    placed[positive] = _share_below(scores[positive], scores[~positive], weights[~positive])
    placed[~positive] = 1 - _share_below(scores[~positive], scores[positive], weights[positive])
    area = float(np.average(placed[positive], weights=weights[positive]))
    given = weights * (placed - area)
    large = (np.minimum(ill, well) >= LARGE)[place]
    parts = np.where(large, _estimated(placed - area, weights, positive, place), given)
    parts /= weights[positive].sum()  # of the negatives it is the same
    start = _counted(area, positive, patients, weights, total)
    up = np.bincount(patients[positive], parts[positive], total)
    down = np.bincount(patients[~positive], parts[~positive], total)
    return replace(start, up=up.astype(np.float64), down=down.astype(np.float64))


def _estimated(off: Array, weights: Array, positive: Bools, place: Ints) -> Array:
    """(N,) what each case adds: its own place in its stratum, and its stratum's to the whole.

    `off` (N,): placements less the area. A stratum of m and n cases weighs m·n/(m + n), of which
    a case's derivative is the square of its weight.
    """
    count = int(place.max()) + 1
    means = np.zeros((2, count))
    for row, side in enumerate((positive, ~positive)):
        number = np.bincount(place[side], minlength=count)
        means[row] = np.bincount(place[side], off[side], count) / np.maximum(number, 1)
    mine = np.where(positive, means[0][place], means[1][place])
    return np.asarray(weights * (off - mine) + weights**2 * means.sum(0)[place])


def _counted(area: float, positive: Bools, patients: Ints, weights: Array, total: int) -> Roc:
    up, down = (
        np.bincount(patients[side & (weights > 0)], minlength=total)
        for side in (positive, ~positive)
    )
    none = np.zeros(0)
    return Roc(
        area=area,
        up=none,
        down=none,
        with_positive=int((up > 0).sum()),
        with_negative=int((down > 0).sum()),
        everyone=int((up + down > 0).sum()),
        repeats=bool((up + down > 1).any()),
    )


def _counts(positive: Bools, strata: npt.NDArray[np.generic]) -> tuple[Ints, Ints, Ints]:
    """(N,) number of each case's stratum; positives and negatives per stratum."""
    place = np.unique(strata, return_inverse=True)[1].reshape(-1)
    count = int(place.max()) + 1 if len(place) else 0
    ill = np.bincount(place[positive], minlength=count)
    return place, ill, np.bincount(place[~positive], minlength=count)


def _share_below(values: Array, others: Array, weights: Array) -> Array:
    """Weight of `others` below each value, ties a half, as a share of all their weight."""
    order = np.argsort(others, kind="stable")
    ordered, summed = others[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    strictly = summed[np.searchsorted(ordered, values, side="left")]
    at_most = summed[np.searchsorted(ordered, values, side="right")]
    return np.asarray((strictly + at_most) / (2 * summed[-1]))

"""Differences between two AUROCs: of one set of cases under two scores, or of two groups."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from audit.metrics.auroc import auroc, auroc_interval, covariance, influence, placements, variance
from audit.metrics.difference import from_limits
from audit.metrics.interval import Interval

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
METHOD = "DeLong, square-and-add"


def paired_auroc_difference(
    first: Array, second: Array, positive: Bools, patients: Ints
) -> tuple[float, Interval]:
    """AUROC of `first` minus that of `second` over the same cases, with 95% limits.

    The correlation of the two is DeLong's (Obuchowski's when patients repeat).
    """
    shared = covariance(first, second, positive, patients)
    spread = variance(first, positive, patients) * variance(second, positive, patients)
    return _joined(
        (auroc(first, positive), auroc_interval(first, positive, patients)),
        (auroc(second, positive), auroc_interval(second, positive, patients)),
        _correlation(shared, spread),
    )


def group_auroc_difference(
    scores: Array, positive: Bools, patients: Ints, group: Bools, reference: Bools
) -> tuple[float, Interval]:
    """AUROC within `group` minus that within `reference` (disjoint masks), with 95% limits.

    Patients with images in both make the two correlated: their influences are multiplied
    patient by patient, as in Obuchowski 1997.
    """
    numbers = np.unique(patients, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    sums, parts = [], []
    for mask in (group, reference):
        score, truth, who = scores[mask], positive[mask], numbers[mask]
        sums.append(influence(placements(score, truth), truth, who, count).sum(axis=1))
        parts.append((auroc(score, truth), auroc_interval(score, truth, who)))
    spread = float((sums[0] @ sums[0]) * (sums[1] @ sums[1]))
    return _joined(parts[0], parts[1], _correlation(float(sums[0] @ sums[1]), spread))


def _correlation(shared: float, spread: float) -> float:
    if not spread > 0 or not math.isfinite(shared):
        return 0.0
    return min(1.0, max(-1.0, shared / math.sqrt(spread)))


def _joined(
    one: tuple[float, Interval], two: tuple[float, Interval], correlation: float
) -> tuple[float, Interval]:
    low, high = from_limits(*one, *two, correlation)
    return one[0] - two[0], Interval(low, high, METHOD)

"""Area under the ROC curve, and DeLong's variance of it for images or for patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import rankdata

from audit.metrics.interval import Interval, Z
from audit.metrics.proportion import clopper_pearson

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Placements:
    """Where each case stands among the other class; their means are the AUROC.

    `positives` (m,): share of the negatives below each positive; `negatives` (n,): share of
    the positives above each negative. Ties count a half.
    """

    positives: Array
    negatives: Array

    @property
    def area(self) -> float:
        return float(self.positives.mean())


def placements(scores: Array, positive: npt.NDArray[np.bool_]) -> Placements:
    """By midranks, in O(N log N). Source: Sun & Xu 2014, doi:10.1109/LSP.2014.2337313."""
    high, low = scores[positive], scores[~positive]
    m, n = len(high), len(low)
    ranks = rankdata(np.concatenate([high, low]))
    above = (ranks[:m] - rankdata(high)) / n
    below = 1 - (ranks[m:] - rankdata(low)) / m
    return Placements(np.asarray(above), np.asarray(below))


def auroc(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties a half; NaN without both classes.

    >>> auroc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    truth = np.asarray(positive, bool)
    if truth.all() or not truth.any():
        return float("nan")
    return placements(np.asarray(scores, np.float64), truth).area


def influence(
    placed: Placements, positive: npt.NDArray[np.bool_], patients: Ints, count: int
) -> Array:
    """(count, 2): what each patient's positives and negatives add to the AUROC's error.

    `patients` (N,): patient number of each case, in [0, count).
    """
    m, n, area = len(placed.positives), len(placed.negatives), placed.area
    up = np.bincount(patients[positive], placed.positives - area, minlength=count) / m
    down = np.bincount(patients[~positive], placed.negatives - area, minlength=count) / n
    return np.stack([up, down], axis=1)


def variance(scores: Array, positive: npt.NDArray[np.bool_], patients: Ints) -> float:
    """DeLong's variance of the AUROC with patients as the unit; NaN for fewer than two.

    With one image per patient this is DeLong et al. 1988 (doi:10.2307/2531595) itself.
    Source: Obuchowski 1997, doi:10.2307/2533958.
    """
    return covariance(scores, scores, positive, patients)


def covariance(
    first: Array, second: Array, positive: npt.NDArray[np.bool_], patients: Ints
) -> float:
    """Of the AUROCs of two scores (N,) of the same cases, with patients as the unit."""
    numbers = np.unique(patients, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    one = influence(placements(first, positive), positive, numbers, count)
    two = influence(placements(second, positive), positive, numbers, count)
    up, down = len(np.unique(numbers[positive])), len(np.unique(numbers[~positive]))
    if min(up, down) < 2:
        return float("nan")
    across = one[:, 0] @ two[:, 1] + one[:, 1] @ two[:, 0]
    return float(
        _unbiased(up) * (one[:, 0] @ two[:, 0])
        + _unbiased(down) * (one[:, 1] @ two[:, 1])
        + _unbiased(count) * across
    )


def auroc_interval(scores: Array, positive: npt.NDArray[np.bool_], patients: Ints) -> Interval:
    """95% limits on the logit scale, which keeps them inside [0, 1] and covers better near 1.

    An AUROC of 0 or 1 has an estimated variance of zero. There the variance is bounded by
    A(1 − A)/min(m, n) (Birnbaum & Klose 1957), so the limits are Clopper–Pearson's for as
    many trials as the rarer class has patients. Source of the scale: Pepe 2003, §5.2.
    """
    area = placements(scores, positive).area
    spread = variance(scores, positive, patients)
    fewest = min(len(np.unique(patients[positive])), len(np.unique(patients[~positive])))
    repeats = len(np.unique(patients)) < len(patients)
    if not 0 < area < 1 or not spread > 0:
        low, high = clopper_pearson(area * fewest, fewest)
        return Interval(float(low), float(high), "Clopper-Pearson on the rarer class")
    half = Z * np.sqrt(spread) / (area * (1 - area))
    low, high = expit(logit(area) - half), expit(logit(area) + half)
    return Interval(float(low), float(high), "clustered DeLong" if repeats else "DeLong")


def _unbiased(count: int) -> float:
    return count / (count - 1)

"""Area under the ROC curve, and DeLong's variance of it for images or for patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from audit.metrics.interval import Interval, Z
from audit.metrics.proportion import clopper_pearson

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Roc:
    """An AUROC and what each patient adds to its error.

    `up`, `down` (P,): the deviations of a patient's positive and negative images from the
    area, over the number of positive and negative images. `with_positive`, `with_negative`,
    `everyone`: distinct patients; `repeats`: some patient has more than one image.
    """

    area: float
    up: Array
    down: Array
    with_positive: int
    with_negative: int
    everyone: int
    repeats: bool


def placements(scores: Array | Ints, positive: Bools) -> tuple[Array, Array]:
    """(m,) share of the negatives below each positive, (n,) share of the positives above each
    negative; ties count a half. O(N log N); O(N) of whole scores from 0, such as ranks.

    Source: Sun & Xu 2014, doi:10.1109/LSP.2014.2337313.
    """
    high, low = scores[positive], scores[~positive]
    return _share_below(high, low), 1 - _share_below(low, high)


def _share_below(values: Array | Ints, others: Array | Ints) -> Array:
    if np.issubdtype(values.dtype, np.integer):
        count = np.bincount(others, minlength=int(values.max()) + 1)
        return np.asarray(((2 * np.cumsum(count) - count) / (2 * len(others)))[values])
    ordered = np.sort(others)
    strictly = np.searchsorted(ordered, values, side="left")
    at_most = np.searchsorted(ordered, values, side="right")
    return np.asarray((strictly + at_most) / (2 * len(ordered)))


def auroc(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties a half; NaN without both classes.

    >>> auroc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    truth = np.asarray(positive, bool)
    if truth.all() or not truth.any():
        return float("nan")
    return float(placements(np.asarray(scores, np.float64), truth)[0].mean())


def roc(scores: Array | Ints, positive: Bools, patients: Ints, count: int | None = None) -> Roc:
    """AUROC of (N,) scores. `patients` (N,): number of each case's patient, in [0, `count`).

    Both classes must be there.
    """
    total = int(patients.max()) + 1 if count is None else count
    above, below = placements(scores, positive)
    area = float(above.mean())
    who_up, who_down = patients[positive], patients[~positive]
    images_up = np.bincount(who_up, minlength=total)
    images_down = np.bincount(who_down, minlength=total)
    images = images_up + images_down
    return Roc(
        area=area,
        up=np.bincount(who_up, above - area, minlength=total) / len(above),
        down=np.bincount(who_down, below - area, minlength=total) / len(below),
        with_positive=int((images_up > 0).sum()),
        with_negative=int((images_down > 0).sum()),
        everyone=int((images > 0).sum()),
        repeats=bool((images > 1).any()),
    )


def variance(one: Roc) -> float:
    """DeLong's variance with patients as the unit; NaN for fewer than two of either class.

    With one image per patient this is DeLong et al. 1988 (doi:10.2307/2531595) itself.
    Source: Obuchowski 1997, doi:10.2307/2533958.
    """
    return covariance(one, one)


def covariance(one: Roc, two: Roc) -> float:
    """Of the AUROCs of two scores of the same cases, with patients as the unit."""
    if min(one.with_positive, one.with_negative) < 2:
        return float("nan")
    return float(
        _unbiased(one.with_positive) * (one.up @ two.up)
        + _unbiased(one.with_negative) * (one.down @ two.down)
        + _unbiased(one.everyone) * (one.up @ two.down + one.down @ two.up)
    )


def auroc_interval(one: Roc) -> Interval:
    """95% limits on the logit scale, which keeps them inside [0, 1] and covers better near 1.

    An AUROC of 0 or 1 has an estimated variance of zero. There the variance is bounded by
    A(1 − A)/min(m, n) (Birnbaum & Klose 1957), so the limits are Clopper–Pearson's for as
    many trials as the rarer class has patients. Source of the scale: Pepe 2003, §5.2.
    """
    area, spread = one.area, variance(one)
    if not 0 < area < 1 or not spread > 0:
        fewest = min(one.with_positive, one.with_negative)
        low, high = clopper_pearson(area * fewest, fewest)
        return Interval(float(low), float(high), "Clopper-Pearson on the rarer class")
    half = Z * np.sqrt(spread) / (area * (1 - area))
    low, high = expit(logit(area) - half), expit(logit(area) + half)
    return Interval(float(low), float(high), "clustered DeLong" if one.repeats else "DeLong")


def _unbiased(count: int) -> float:
    return count / (count - 1)

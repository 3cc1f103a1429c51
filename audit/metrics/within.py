"""AUROC of pairs within strata: of the same fold, of the same label."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logit, ndtr

from audit.metrics.auroc import Array, Bools, Ints, Roc, placements, variance


def within_auroc(
    scores: Array, positive: Bools, patients: Ints, strata: Ints, count: int | None = None
) -> Roc | None:
    """Chance that a positive scores above a negative of its stratum, ties a half; None without.

    Scores (N,) of several fits are compared only within the fit that made them: pooled, folds
    that happen to hold more positives would pull the area below ½. `patients` (N,): number of
    each case's patient, in [0, `count`), the unit of the error, which conditions on the fits.
    Source: LeDell, Petersen & van der Laan 2015, doi:10.1214/15-EJS1035.

    >>> import numpy as np
    >>> scores, positive = np.array([1.0, 2.0, 8.0, 9.0]), np.array([False, True] * 2)
    >>> within_auroc(scores, positive, np.arange(4), np.array([0, 0, 1, 1])).area
    1.0
    """
    total = int(patients.max()) + 1 if count is None else count
    place = np.unique(strata, return_inverse=True)[1].reshape(-1)
    placed, rivals = np.zeros(len(scores)), np.zeros(len(scores))
    for number in range(int(place.max()) + 1 if len(place) else 0):
        here = place == number
        ill, well = here & positive, here & ~positive
        if not (ill.any() and well.any()):
            continue
        placed[ill], placed[well] = placements(scores[here], positive[here])
        rivals[ill], rivals[well] = well.sum(), ill.sum()
    pairs = rivals[positive].sum()
    if not pairs:
        return None
    area = float(rivals[positive] @ placed[positive] / pairs)
    parts = rivals * (placed - area) / pairs
    used = rivals > 0
    up, down = (
        np.bincount(patients[side & used], minlength=total) for side in (positive, ~positive)
    )
    return Roc(
        area=area,
        up=np.bincount(patients[positive], parts[positive], total).astype(np.float64),
        down=np.bincount(patients[~positive], parts[~positive], total).astype(np.float64),
        with_positive=int((up > 0).sum()),
        with_negative=int((down > 0).sum()),
        everyone=int((up + down > 0).sum()),
        repeats=bool((up + down > 1).any()),
    )


def chance_p(one: Roc) -> float:
    """Two-sided p-value of an AUROC of ½, on the scale and with the error of `auroc_interval`.

    An AUROC of 0 or 1 has no estimated error: there it is as unlikely as so many equal tosses as
    the rarer class has patients.
    """
    spread = variance(one)
    if not 0 < one.area < 1 or not spread > 0:
        fewest = min(one.with_positive, one.with_negative)
        return min(1.0, 2 * 0.5**fewest) if one.area in (0.0, 1.0) else 1.0
    z = float(logit(one.area)) * one.area * (1 - one.area) / math.sqrt(spread)
    return float(2 * ndtr(-abs(z)))

"""Whether errors go with a measure: a rank test within strata, and how strong the link is."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def places_within(values: Array, strata: Ints) -> Array:
    """(N,) place of each value in its own stratum, from 0 (lowest) to 1; ties share theirs.

    >>> places_within(np.array([3.0, 1.0, 9.0, 9.0]), np.array([0, 0, 1, 1])).tolist()
    [0.75, 0.25, 0.5, 0.5]
    """
    places = np.empty(len(values))
    for stratum in np.unique(strata):
        inside = strata == stratum
        places[inside] = (rankdata(values[inside]) - 0.5) / inside.sum()
    return places


def trend_test(values: Array, wrong: Bools, strata: Ints, patients: Ints) -> float:
    """Two-sided p of no link between the rank of (N,) `values` and `wrong` within each stratum.

    The score test of a logistic regression on the ranks with an intercept per stratum; without
    strata and repeats it is that of Wilcoxon, Mann and Whitney, and of Cochran and Armitage with
    rank scores. Where a patient has several cases, the variance is that of the patients' sums.
    1 where nothing varies. Source: Boos 1992, doi:10.1080/00031305.1992.10475921 (robust score
    tests); Mantel 1963, doi:10.1080/01621459.1963.10500879 (strata).

    >>> values = np.arange(8.0)
    >>> late = values >= 4
    >>> one, own = np.zeros(8, int), np.arange(8)
    >>> round(trend_test(values, late, one, own), 4)
    0.0209
    """
    places = places_within(values, strata)
    scores, spread = np.zeros(len(values)), 0.0
    for stratum in np.unique(strata):
        inside = strata == stratum
        x = places[inside] - places[inside].mean()
        w = wrong[inside] - wrong[inside].mean()
        scores[inside] = x * w
        spread += float((x @ x) * (w @ w)) / max(1, int(inside.sum()) - 1)
    total = float(scores.sum())
    sums = np.bincount(np.unique(patients, return_inverse=True)[1], scores)
    if len(sums) < len(values):
        spread = float(sums @ sums) * len(sums) / max(1, len(sums) - 1)
    return erfc(abs(total) / sqrt(2 * spread)) if spread > 1e-12 else 1.0

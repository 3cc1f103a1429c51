"""Agreement of two readers beyond chance: pure functions of a table of counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audit.metrics.interval import Interval, Z
from audit.metrics.proportion import clopper_pearson

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def cross_table(first: Ints, second: Ints, classes: int) -> Array:
    """(N,) and (N,) class indices -> (K, K) counts, rows what the first said.

    >>> cross_table(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    counts = np.bincount(first * classes + second, minlength=classes**2)
    return np.asarray(counts.reshape(classes, classes), dtype=np.float64)


def kappa(table: Array) -> Array:
    """Cohen's kappa of (…, K, K) counts; NaN where both said one and the same thing only.

    Source: Cohen 1960, doi:10.1177/001316446002000104.

    >>> round(float(kappa(np.array([[20.0, 5.0], [10.0, 15.0]]))), 6)
    0.4
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = table / table.sum(axis=(-2, -1), keepdims=True)
        observed = np.trace(shares, axis1=-2, axis2=-1)
        expected = (shares.sum(-1) * shares.sum(-2)).sum(-1)
        found = (observed - expected) / (1 - expected)
    return np.asarray(np.where(expected < 1, found, np.nan))


def kappa_limits(table: Array) -> Interval:
    """95% limits of kappa for independent cases; `table` may be scaled to fewer of them.

    Fleiss, Cohen & Everitt 1969, doi:10.1037/h0028106. Where the readers never differ their
    variance is 0 and would claim certainty: there the exact lower limit of the agreement is
    put in its place, at the margins seen.
    """
    total = table.sum()
    shares = table / total
    rows, columns = shares.sum(1), shares.sum(0)
    observed, expected = float(np.trace(shares)), float(rows @ columns)
    value = float(kappa(table))
    if observed >= 1 - 1e-12:
        least = float(clopper_pearson(total, total)[0])
        return Interval((least - expected) / (1 - expected), 1.0, "Clopper-Pearson on agreement")
    away = 1 - value
    same = np.diag(shares) * (1 - (rows + columns) * away) ** 2
    beside = shares * (columns[:, None] + rows[None, :]) ** 2
    apart = away**2 * (beside.sum() - np.trace(beside))
    spread = same.sum() + apart - (value - expected * away) ** 2
    half = Z * float(np.sqrt(max(spread, 0.0) / total)) / (1 - expected)
    return Interval(max(value - half, -1.0), min(value + half, 1.0), "Fleiss-Cohen-Everitt")

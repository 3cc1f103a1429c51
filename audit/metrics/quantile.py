"""Quantiles with limits, where some values are only known to lie above a maximum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from audit.metrics.bootstrap import Resampling
from audit.metrics.interval import LEVEL

Array = npt.NDArray[np.float64]


def quantile(values: Array, part: float) -> float:
    """The smallest value with at least `part` of the (n,) values at or below it; inf: above all.

    >>> quantile(np.array([1.0, 2.0, np.inf, 3.0]), 0.5)
    2.0
    """
    ordered = np.sort(values)
    return float(ordered[max(0, int(np.ceil(part * len(ordered) - 1e-9)) - 1)])


def order_limits(values: Array, part: float) -> tuple[float, float]:
    """95% limits of a quantile by order statistics: exact for independent values of any shape.

    -inf and inf where no value is extreme enough. The number of values at or below the true
    quantile is binomial (n, part). Source: David & Nagaraja 2003, Order Statistics, §7.1.

    >>> order_limits(np.arange(1.0, 101.0), 0.5)
    (40.0, 61.0)
    """
    ordered, tail = np.sort(values), (1 - LEVEL) / 2
    first = int(binom.ppf(tail, len(values), part))
    last = int(binom.ppf(1 - tail, len(values), part)) + 1
    low = ordered[first - 1] if first > 0 else -np.inf
    return float(low), float(ordered[last - 1] if last <= len(values) else np.inf)


def resampled_limits(values: Array, part: float, resampling: Resampling) -> tuple[float, float]:
    """95% percentile limits of a quantile over resampled patients; `values` in their order."""
    order = np.argsort(values, kind="stable")
    weights = resampling.weights[:, resampling.patients[order]].astype(np.float64)  # (B, n)
    reached = weights.cumsum(axis=1)
    enough = reached >= part * reached[:, -1:] - 1e-9
    drawn = values[order][enough.argmax(axis=1)]
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(drawn, tails, method="inverted_cdf")
    return float(low), float(high)

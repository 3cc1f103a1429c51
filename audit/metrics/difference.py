"""Differences between two numbers: limits from limits, and the exact paired test."""

from __future__ import annotations

import math

from scipy.stats import binom

from audit.metrics.interval import Interval


def from_limits(
    value: float, limits: Interval, other: float, other_limits: Interval, correlation: float = 0.0
) -> tuple[float, float]:
    """Limits of value − other from the limits of each, by the square-and-add rule.

    Keeps the asymmetry of each interval; `correlation` is that of the two estimates.
    Source: Zou & Donner 2008 (MOVER), doi:10.1002/sim.3095.
    """
    low = _reach(value - limits.low, other_limits.high - other, correlation)
    high = _reach(limits.high - value, other - other_limits.low, correlation)
    gap = value - other
    return max(gap - low, -1.0), min(gap + high, 1.0)


def _reach(one: float, two: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + two**2 - 2 * correlation * one * two))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of as many cases right only once as right only the other time.

    Source: McNemar 1947, doi:10.1007/BF02295996, with the binomial distribution.

    >>> mcnemar(1, 9)
    0.021484375
    """
    total = only_first + only_second
    return min(1.0, 2 * float(binom.cdf(min(only_first, only_second), total, 0.5)))

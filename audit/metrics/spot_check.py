"""How many cases to re-read so that few misses bound the rate of misses: pure functions.

A simple random sample of `size` cases, of which at most `allowed` are found missed, shows at
the stated confidence that fewer than `level` of all are missed.
Source: exact binomial, Clopper & Pearson 1934 (doi:10.1093/biomet/26.4.404); in a finite number
of cases hypergeometric, Buonaccorsi 1987 (doi:10.1080/00031305.1987.10475479).
"""

from __future__ import annotations

import math

from scipy.stats import binom, hypergeom


def spot_check_size(
    level: float, allowed: int = 0, *, confidence: float = 0.95, population: int | None = None
) -> int | None:
    """The smallest sample; None where even all of the `population` would not show it.

    `population` None: as many as one likes, such as the cases still to come.

    >>> spot_check_size(0.005), spot_check_size(0.01), spot_check_size(0.005, 1)
    (598, 299, 947)
    >>> spot_check_size(0.01, population=1000), spot_check_size(0.01, 10, population=1000)
    (258, None)
    """
    most = population if population is not None else _enough(level, allowed, confidence)
    if population is not None and _missed(level, population) <= allowed:
        return None
    low, high = allowed + 1, most
    while low < high:
        middle = (low + high) // 2
        if _passes(middle, allowed, level, population) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    return low


def detection_chance(
    size: int, allowed: int, rate: float, *, population: int | None = None
) -> float:
    """Chance that a sample finds more than `allowed` misses when the true rate is `rate`.

    >>> round(detection_chance(598, 0, 0.01), 3)
    0.998
    """
    return 1 - _passes(size, allowed, rate, population)


def _missed(rate: float, population: int) -> int:
    """The fewest misses among `population` cases that make a rate of at least `rate`."""
    return max(1, math.ceil(rate * population - 1e-9))


def _passes(size: int, allowed: int, rate: float, population: int | None) -> float:
    """Chance of at most `allowed` misses in the sample at a true rate of (at least) `rate`."""
    if population is None:
        return float(binom.cdf(allowed, size, rate))
    return float(hypergeom.cdf(allowed, population, _missed(rate, population), size))


def _enough(level: float, allowed: int, confidence: float) -> int:
    size = allowed + 1
    while _passes(size, allowed, level, None) > 1 - confidence:
        size *= 2
    return size

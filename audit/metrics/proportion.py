"""Intervals of proportions, and of differences between two of them.

All functions take numbers or arrays (broadcast together) and return float64 arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from audit.metrics.interval import LEVEL, Z

Array = npt.NDArray[np.float64]
Limits = tuple[Array, Array]


def clopper_pearson(events: npt.ArrayLike, n: npt.ArrayLike, level: float = LEVEL) -> Limits:
    """Exact binomial limits. Never covers less than `level`; (0, 1) where n is 0.

    `events` may be fractional: an effective sample (patients instead of images) has no
    whole number of events. Source: Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.

    >>> low, high = clopper_pearson(0, 100)
    >>> float(low), round(float(high), 4)  # 0 of 100: still about 3 in 100
    (0.0, 0.0362)
    """
    k = np.asarray(events, dtype=np.float64)
    total = np.asarray(n, dtype=np.float64)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = betaincinv(k, total - k + 1, tail)
        high = betaincinv(k + 1, total - k, 1 - tail)
    return np.where(k > 0, low, 0.0), np.where(k < total, high, 1.0)


def wilson(events: npt.ArrayLike, n: npt.ArrayLike) -> Limits:
    """Score limits at 95%; (0, 1) where n is 0. Source: Wilson 1927, doi:10.2307/2276774.

    >>> low, high = wilson(45, 50)
    >>> round(float(low), 3), round(float(high), 3)
    (0.786, 0.957)
    """
    k, total = np.asarray(events, np.float64), np.asarray(n, np.float64)
    safe = np.where(total > 0, total, 1.0)
    p = k / safe
    half = Z * np.sqrt(p * (1 - p) / safe + Z**2 / (4 * safe**2))
    centre = p + Z**2 / (2 * safe)
    scale = 1 + Z**2 / safe
    low = np.clip((centre - half) / scale, 0.0, 1.0)
    high = np.clip((centre + half) / scale, 0.0, 1.0)
    empty = total == 0
    low = np.where(empty | (k == 0), 0.0, low)
    return low, np.where(empty | (k == total), 1.0, high)


def jeffreys(events: npt.ArrayLike, n: npt.ArrayLike) -> Limits:
    """Equal-tailed limits at 95% that cover 95% on average; from 0 where no event is seen, to 1
    where nothing else is. `events` may be fractional, as in `clopper_pearson`.

    Source: Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286.

    >>> low, high = jeffreys(45, 50)
    >>> round(float(low), 3), round(float(high), 3)
    (0.795, 0.961)
    """
    k, total = np.asarray(events, np.float64), np.asarray(n, np.float64)
    tail = (1 - LEVEL) / 2
    low = betaincinv(k + 0.5, total - k + 0.5, tail)
    high = betaincinv(k + 0.5, total - k + 0.5, 1 - tail)
    return np.where(k > 0, low, 0.0), np.where(k < total, high, 1.0)


def newcombe(
    events: npt.ArrayLike, n: npt.ArrayLike, other_events: npt.ArrayLike, other_n: npt.ArrayLike
) -> Limits:
    """Limits of p − p_other for two independent samples, from their Wilson limits.

    Source: Newcombe 1998 (method 10), doi:10.1002/(SICI)1097-0258(19980430)17:8<873.

    >>> low, high = newcombe(56, 70, 48, 80)  # his example: 0.0524 to 0.3339
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    n_one, n_two = np.asarray(n, np.float64), np.asarray(other_n, np.float64)
    p_one = np.asarray(events, np.float64) / np.where(n_one > 0, n_one, 1.0)
    p_two = np.asarray(other_events, np.float64) / np.where(n_two > 0, n_two, 1.0)
    (low_one, high_one), (low_two, high_two) = wilson(events, n), wilson(other_events, other_n)
    gap = p_one - p_two
    low = gap - np.hypot(p_one - low_one, high_two - p_two)
    return low, gap + np.hypot(high_one - p_one, p_two - low_two)


def bonett_price(only_first: npt.ArrayLike, only_second: npt.ArrayLike, n: npt.ArrayLike) -> Limits:
    """Limits of a paired difference p_first − p_second from its discordant counts.

    Adjusted Wald: one is added to each discordant count, so that no disagreement at all
    does not read as certainty. Source: Bonett & Price 2012, doi:10.3102/1076998611411915.

    >>> low, high = bonett_price(0, 0, 100)
    >>> round(float(low), 4), round(float(high), 4)
    (-0.0272, 0.0272)
    """
    total = np.asarray(n, np.float64) + 2
    first = (np.asarray(only_first, np.float64) + 1) / total
    second = (np.asarray(only_second, np.float64) + 1) / total
    gap = first - second
    half = Z * np.sqrt((first + second - gap**2) / total)
    return np.maximum(gap - half, -1.0), np.minimum(gap + half, 1.0)

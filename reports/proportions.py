"""Limits of a share that the audit counted without giving its interval: points of a curve."""

from __future__ import annotations


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided limits of k out of n.

    Source: Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.

    >>> low, high = clopper_pearson(0, 61)
    >>> low, round(high, 4)
    (0.0, 0.0587)
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return low, high

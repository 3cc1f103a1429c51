"""Differences between two AUROCs: of one set of cases under two scores, or of two groups."""

from __future__ import annotations

import math

import numpy as np

from audit.metrics.auroc import Roc, auroc_interval, covariance, variance
from audit.metrics.difference import from_limits
from audit.metrics.interval import Interval, Z
from audit.metrics.p_values import from_z

METHOD = "DeLong, square-and-add"
_ROUNDING = 1e-15  # of a variance


def paired_difference(one: Roc, two: Roc) -> Interval:
    """95% limits of one.area − two.area for two scores of the same cases.

    The correlation of the two is DeLong's (Obuchowski's when patients repeat).
    """
    return _joined(one, two, covariance(one, two), variance(one) * variance(two))


def group_difference(one: Roc, two: Roc) -> Interval:
    """95% limits of one.area − two.area for two disjoint groups of cases.

    Patients with images in both make the two correlated: what they add to each error is
    multiplied patient by patient, as in Obuchowski 1997. Both count patients alike.
    """
    first, second = one.up + one.down, two.up + two.down
    return _joined(one, two, float(first @ second), float((first @ first) * (second @ second)))


def paired_p(one: Roc, two: Roc) -> float:
    """Two-sided p of one.area − two.area for two scores of the same cases: DeLong's z.

    An area of 0 or 1, whose own variance is 0, has that of its interval. On the plain scale the
    test is no more often wrong than it says even near 1, where on the logit scale it is.
    Source: DeLong et al. 1988, doi:10.2307/2531595; Obuchowski 1997 where patients repeat.
    """
    return _p(one, two, covariance(one, two))


def group_p(one: Roc, two: Roc) -> float:
    """Two-sided p of one.area − two.area for two disjoint groups of cases; see `paired_p`."""
    return _p(one, two, float((one.up + one.down) @ (two.up + two.down)))


def _p(one: Roc, two: Roc, shared: float) -> float:
    spread = _sure_variance(one) + _sure_variance(two) - 2 * shared
    gap = one.area - two.area
    return float(from_z(gap / np.sqrt(spread))) if spread > _ROUNDING and gap else 1.0


def _sure_variance(one: Roc) -> float:
    found = variance(one)
    if 0 < one.area < 1 and found > 0:
        return found
    limits = auroc_interval(one)
    return float(((limits.high - limits.low) / (2 * Z)) ** 2)


def _joined(one: Roc, two: Roc, shared: float, spread: float) -> Interval:
    correlation = 0.0
    if spread > 0 and math.isfinite(shared):
        correlation = min(1.0, max(-1.0, shared / math.sqrt(spread)))
    limits = auroc_interval(one), auroc_interval(two)
    low, high = from_limits(one.area, limits[0], two.area, limits[1], correlation)
    return Interval(low, high, METHOD)

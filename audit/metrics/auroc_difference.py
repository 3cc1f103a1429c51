"""Differences between two AUROCs: of one set of cases under two scores, or of two groups."""

from __future__ import annotations

import math

from audit.metrics.auroc import Roc, auroc_interval, covariance, variance
from audit.metrics.difference import from_limits
from audit.metrics.interval import Interval

METHOD = "DeLong, square-and-add"


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


def _joined(one: Roc, two: Roc, shared: float, spread: float) -> Interval:
    correlation = 0.0
    if spread > 0 and math.isfinite(shared):
        correlation = min(1.0, max(-1.0, shared / math.sqrt(spread)))
    limits = auroc_interval(one), auroc_interval(two)
    low, high = from_limits(one.area, limits[0], two.area, limits[1], correlation)
    return Interval(low, high, METHOD)

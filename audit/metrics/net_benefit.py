"""Net benefit of acting on a score: hits less false alarms, at the exchange rate of a threshold.

Source: Vickers & Elkin 2006, doi:10.1177/0272989X06295361. All functions take numbers or arrays
(broadcast together) and return float64 arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Limits = tuple[Array, Array]


def exchange(threshold: npt.ArrayLike) -> Array:
    """False alarms that one hit is worth to who acts from this probability on: odds, inverted.

    >>> round(float(exchange(0.2)), 6)
    0.25
    """
    at = np.asarray(threshold, np.float64)
    return np.asarray(at / (1 - at))


def net_benefit(
    hits: npt.ArrayLike, false_alarms: npt.ArrayLike, threshold: npt.ArrayLike
) -> Array:
    """Per case, from the shares of all cases that are hits and false alarms at the threshold.

    >>> round(float(net_benefit(0.08, 0.2, 0.1)), 6)
    0.057778
    """
    found = np.asarray(hits, np.float64) - exchange(threshold) * np.asarray(false_alarms)
    return np.asarray(found, np.float64)


def net_benefit_of_all(share: npt.ArrayLike, threshold: npt.ArrayLike) -> Array:
    """Of acting on everyone, where `share` is positive.

    >>> round(float(net_benefit_of_all(0.1, 0.1)), 6)
    0.0
    """
    positive = np.asarray(share, np.float64)
    return net_benefit(positive, 1 - positive, threshold)


def net_benefit_limits(
    hits: Array,
    hit_limits: Limits,
    false_alarms: Array,
    alarm_limits: Limits,
    threshold: npt.ArrayLike,
    correlation: npt.ArrayLike = 0.0,
) -> Limits:
    """Limits of the net benefit from those of its two shares, by the square-and-add rule.

    `correlation` of the two estimates: 0 where positives and negatives were sampled apart,
    `shared_correlation` where both are shares of one sample. Source: Zou & Donner 2008,
    doi:10.1002/sim.3095.
    """
    rate = exchange(threshold)
    (least, most), (fewest, highest) = hit_limits, alarm_limits
    value = net_benefit(hits, false_alarms, threshold)
    below = _reach(hits - least, rate * (highest - false_alarms), correlation)
    above = _reach(most - hits, rate * (false_alarms - fewest), correlation)
    return np.asarray(value - below), np.asarray(value + above)


def shared_correlation(share: npt.ArrayLike, other: npt.ArrayLike) -> Array:
    """Of the estimates of two shares of one sample that exclude each other (multinomial).

    >>> round(float(shared_correlation(0.5, 0.5)), 6)
    -1.0
    """
    p, q = np.asarray(share, np.float64), np.asarray(other, np.float64)
    room = (1 - p) * (1 - q)
    return np.asarray(-np.sqrt(np.where(room > 0, p * q / np.where(room > 0, room, 1), 0.0)))


def _reach(one: Array, two: Array, correlation: npt.ArrayLike) -> Array:
    """How far a difference of two estimates may lie from its value, given how far each may."""
    square = np.maximum(one**2 + two**2 - 2 * np.asarray(correlation) * one * two, 0.0)
    return np.asarray(np.sqrt(square))

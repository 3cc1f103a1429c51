"""Likelihood ratios and predictive values: what a call changes, at any prevalence.

All functions take numbers or arrays (broadcast together) and return float64 arrays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audit.metrics.interval import Z

Array = npt.NDArray[np.float64]
Limits = tuple[Array, Array]
_FURTHEST = 40.0  # ratios are sought between exp(-40) and exp(40)
_HALVINGS = 60  # of that range: what is left is below rounding


def ratio(
    events: npt.ArrayLike, n: npt.ArrayLike, other_events: npt.ArrayLike, other_n: npt.ArrayLike
) -> Array:
    """p / p_other of two proportions; inf where the other is 0, NaN where both are.

    LR+ is that of the calls among the positives and among the negatives, LR- that of the
    cases not called. Source: Altman & Bland 1994, doi:10.1136/bmj.309.6948.188.

    >>> float(ratio(90, 100, 20, 100)), float(ratio(10, 100, 0, 100))
    (4.5, inf)
    """
    one = np.asarray(events, np.float64) / np.asarray(n, np.float64)
    two = np.asarray(other_events, np.float64) / np.asarray(other_n, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(one / two)


def ratio_limits(
    events: npt.ArrayLike, n: npt.ArrayLike, other_events: npt.ArrayLike, other_n: npt.ArrayLike
) -> Limits:
    """95% score limits of p / p_other for two independent samples; 0 to inf where both are 0.

    Unlike limits on the log scale they need no correction where a count is 0. `events` may be
    fractional, as in `clopper_pearson`. Source: Koopman 1984, doi:10.2307/2531405.

    >>> low, high = ratio_limits(36, 40, 16, 80)  # Koopman's example: 2.94 to 7.15
    >>> round(float(low), 2), round(float(high), 2)
    (2.94, 7.15)
    """
    given = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (events, n, other_events)))
    x, m, y = given
    k = np.broadcast_to(np.asarray(other_n, np.float64), x.shape)
    low, high = np.exp(_solve(x, m, y, k, np.array([Z, -Z]).reshape(2, *(1 for _ in x.shape))))
    return np.where(x > 0, low, 0.0), np.where(y > 0, high, np.inf)


def _solve(x: Array, m: Array, y: Array, k: Array, wanted: Array) -> Array:
    """The log ratio at which the score statistic, which falls with it, is `wanted` (2, 1, ...)."""
    below, above = (np.full((len(wanted), *x.shape), end) for end in (-_FURTHEST, _FURTHEST))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_HALVINGS):
            middle = (below + above) / 2
            higher = _score(x, m, y, k, np.exp(middle)) > wanted
            below, above = np.where(higher, middle, below), np.where(higher, above, middle)
    return np.asarray((below + above) / 2)


def _score(x: Array, m: Array, y: Array, k: Array, theta: Array) -> Array:
    """(p - theta·q) over its standard error at the likeliest p and q with p = theta·q."""
    a, b, c = (m + k) * theta, theta * (m + y) + x + k, x + y
    q = 2 * c / (b + np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0)))
    p = theta * q
    spread = p * np.maximum(1 - p, 0.0) / m + theta**2 * q * np.maximum(1 - q, 0.0) / k
    gap = x / m - theta * y / k
    return np.asarray(np.where(gap == 0, 0.0, gap / np.sqrt(spread)))


def predictive_value(likelihood_ratio: npt.ArrayLike, share: npt.ArrayLike) -> Array:
    """Bayes' rule: the chance to have what has a prior chance of `share`, after a sign with
    this likelihood ratio (inf gives 1).

    PPV is that of LR+ at the prevalence, NPV one minus that of LR- (or that of 1 / LR- at one
    minus the prevalence). It rises with the ratio, so the ratio's limits become its own.
    Source: Mercaldo, Lau & Zhou 2007, doi:10.1002/sim.2677.

    >>> float(predictive_value(9, 0.1))
    0.5
    """
    prior = np.asarray(share, np.float64)
    with np.errstate(divide="ignore"):
        back = (1 - prior) / (prior * np.asarray(likelihood_ratio, np.float64))
    return np.asarray(1 / (1 + back))

"""How many labels are against the model however its confidence is recalibrated: a lapse rate.

An overconfident model is wrong more often than it says, but less and less the surer it is. A
wrong label is against it at any confidence. So disagreements that do not die out among the
surest cases are what no recalibration explains.
Source of the model: Wichmann & Hill 2001, doi:10.3758/BF03194544 (psychometric function with
lapses); of the interval: profile likelihood, Venzon & Moolgavkar 1988, doi:10.2307/2347496.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, xlog1py, xlogy
from scipy.stats import chi2

from audit.metrics.interval import LEVEL

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
RATES = np.concatenate([np.linspace(0, 0.1, 41), np.linspace(0.11, 0.45, 35)])
BOUNDS = ((-30.0, 30.0), (0.0, 60.0))  # in standard deviations of the log-odds
RIDGE = 1e-4  # where the classes are apart, the slope has no end


@dataclass(frozen=True)
class Lapse:
    """`rate`: share of labels against the model at any confidence, with 95% limits. `p`: of the
    likelihood ratio against no such labels, one-sided.
    """

    rate: float
    low: float
    high: float
    p: float


def lapse_rate(log_odds: Array, positive: Bools) -> Lapse:
    """(N,) finite log-odds of the positive class and (N,) whether it is labelled so -> Lapse.

    P(labelled positive) = e + (1 - 2e) sigmoid(a + b log-odds), a and b >= 0 free: the least
    share of labels flipped at random that explains the data as well as any monotone logistic
    recalibration does. Cases count as independent. Both labels must be there.

    >>> z = np.repeat([-6.0, 6.0], 100)
    >>> truth = z > 0
    >>> truth[::20] ^= True  # five of each hundred
    >>> found = lapse_rate(np.where(np.arange(200) % 2, z, z / 6), truth)
    >>> bool(found.low <= found.rate <= found.high)
    True
    """
    spread = float(np.std(log_odds)) or 1.0
    z = (log_odds - float(np.mean(log_odds))) / spread
    y = positive.astype(np.float64)
    flat, steep = np.array([0.0, 1.0]), np.array([0.0, 8.0])
    profile = np.empty(len(RATES))
    for i, rate in enumerate(RATES):  # two ways up, since the likelihood may have two tops
        flat, one = _fit(z, y, rate, flat)
        steep, two = _fit(z, y, rate, steep)
        profile[i] = max(one, two)
    best = int(profile.argmax())
    within = RATES[2 * (profile[best] - profile) <= chi2.ppf(LEVEL, 1)]
    gain = max(0.0, 2 * float(profile[best] - profile[0]))
    p = 0.5 * float(chi2.sf(gain, 1)) if best else 1.0
    return Lapse(float(RATES[best]), float(within.min()), float(within.max()), p)


def _fit(z: Array, y: Array, rate: float, start: Array) -> tuple[Array, float]:
    """The best (a, b) at a lapse rate, from `start`, and its log-likelihood."""

    def loss(theta: Array) -> tuple[float, Array]:
        s = expit(theta[0] + theta[1] * z)
        p = np.clip(rate + (1 - 2 * rate) * s, 1e-12, 1 - 1e-12)
        value = RIDGE * theta @ theta - (xlogy(y, p) + xlog1py(1 - y, -p)).sum()
        slope = (1 - 2 * rate) * s * (1 - s) * (p - y) / (p * (1 - p))
        return value, np.array([slope.sum(), slope @ z]) + 2 * RIDGE * theta

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=BOUNDS)
    return np.asarray(found.x), -float(found.fun)

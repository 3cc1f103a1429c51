"""Expected calibration error in bins of equal mass, with the part that is only noise taken out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf, expit

from audit.metrics.calibration import Array, Bools, Ints, Sample
from audit.metrics.interval import Z

BINS = 15
PER_BIN = 20  # cases a bin should have; fewer bins where there are not enough
_HALVINGS = 50
_ROOT_TWO, _ROOT_TWO_PI = math.sqrt(2), math.sqrt(2 * math.pi)
_MEAN_OF_HALF = math.sqrt(2 / math.pi)  # of |X| for a standard normal X


@dataclass(frozen=True)
class Error:
    """Arrays (G,). `plain`: as it is usually given. `value`: without what noise adds to it.

    `low`, `high`: 95% limits of the error without noise. `bins`: how many.
    """

    plain: Array
    value: Array
    low: Array
    high: Array
    bins: Ints


def bin_count(cases: npt.ArrayLike) -> Ints:
    """How many bins so many cases get: one per 20, from 1 to 15.

    >>> bin_count([10, 100, 10_000]).tolist()
    [1, 5, 15]
    """
    return np.asarray(np.clip(np.asarray(cases) // PER_BIN, 1, BINS), np.int64)


def bins_of(score: Array, starts: Ints) -> Ints:
    """(M,) scores of groups that begin at `starts` (G,) -> (M,) bin of each, from 0.

    Bins of a group hold as many cases each, but equal scores are never parted.

    >>> scores = np.repeat([0.0, 1.0, 2.0], [20, 5, 15])
    >>> np.bincount(bins_of(scores, np.array([0]))).tolist()
    [20, 20]
    """
    sizes = np.diff(starts, append=len(score))
    group = np.repeat(np.arange(len(starts)), sizes)
    order = np.lexsort((score, group))
    ordered = score[order]
    fresh = np.diff(ordered, prepend=np.nan) != 0
    fresh[starts] = True
    begins = np.flatnonzero(fresh)
    run = np.cumsum(fresh) - 1
    middle = (begins + np.diff(begins, append=len(score)) / 2)[run] - starts[group]
    number = np.minimum((middle * bin_count(sizes)[group]) // sizes[group], BINS - 1)
    found = np.empty(len(score), np.int64)
    found[order] = number.astype(np.int64)
    return found


def calibration_error(sample: Sample) -> Error:
    """Mean distance, over bins of equal mass, of the share of positives from the mean probability.

    Noise alone makes this distance positive, the more so the fewer cases a bin has. So `value` is
    the error at which the distance found would be the one to expect, and the limits are those at
    which it would just not be surprising (normal theory of the bins; errors in the proportions
    found, and of one patient correlated). They reach 0 where a calibrated model could have done it.
    Sources: Guo et al. 2017, arXiv:1706.04599; equal mass and bias: Kumar et al. 2019,
    arXiv:1909.10155, Roelofs et al. 2022, arXiv:2012.08668.

    >>> from audit.metrics.calibration import one_group
    >>> truth = np.tile([True, False, False, False, False], 200)
    >>> found = calibration_error(one_group(np.zeros(1000), truth))
    >>> round(found.plain.item(), 3), round(found.value.item(), 3), found.low.item() > 0.26
    (0.3, 0.3, True)
    """
    numbers = bins_of(sample.score, sample.groups)
    group = np.repeat(np.arange(len(sample.groups)), sample.sizes)
    cell = group * BINS + numbers
    shape = (len(sample.groups), BINS)
    promised = expit(sample.score)
    rest = sample.positive - promised
    gap = _sums(cell, rest, shape)
    count = _sums(cell, np.ones(len(rest)), shape)
    mean = gap / np.maximum(count, 1)
    spread = _covariance(sample, rest - mean.ravel()[cell], numbers)
    least = _sums(cell, promised * (1 - promised), shape)
    diagonal = np.einsum("gkk->gk", spread)
    # A bin where nothing happened is not known without error: at least what the scores promise.
    diagonal[...] = np.maximum(diagonal, least)
    size = sample.sizes[:, None].astype(np.float64)
    used = int(numbers.max()) + 1  # by any group; small samples have few bins
    spread = spread[:, :used, :used] / size[:, :, None] ** 2
    found = _Distance(gap[:, :used] / size, spread)
    plain = np.abs(gap / size).sum(axis=1)
    value, low, high = found.where(plain, (0.0, Z, -Z))
    bins = np.asarray((count > 0).sum(axis=1), np.int64)
    return Error(plain, value, low, np.minimum(high, 1.0), bins)


def _sums(cell: Ints, values: Array, shape: tuple[int, int]) -> Array:
    flat = np.bincount(cell, values, minlength=shape[0] * shape[1])
    return np.asarray(flat.reshape(shape), np.float64)


def _covariance(sample: Sample, rest: Array, numbers: Ints) -> Array:
    """(G, BINS, BINS) covariance of the bins' sums of `rest` (M,), patients drawn anew."""
    patients, clusters = len(sample.patients), sample.clusters
    who = np.repeat(np.arange(patients), np.diff(sample.patients, append=len(rest)))
    if patients == len(rest):
        whose = np.repeat(np.arange(len(clusters)), clusters)
        alone = _sums(whose * BINS + numbers, rest**2, (len(clusters), BINS))
        found = np.zeros((len(clusters), BINS, BINS))
        np.einsum("gkk->gk", found)[...] = alone
    else:
        table = _sums(who * BINS + numbers, rest, (patients, BINS))
        ends = np.append(sample.first[1:], patients)
        parts = [table[a:b] for a, b in zip(sample.first, ends, strict=True)]
        found = np.stack([part.T @ part for part in parts])
    return np.asarray(found * (clusters / np.maximum(clusters - 1, 1))[:, None, None])


class _Distance:
    """The sum of |X| over bins, for X normal with mean t · `along` and the covariance given."""

    def __init__(self, gap: Array, covariance: Array) -> None:
        self.covariance, self.square = covariance, covariance**2
        self.sigma = np.sqrt(np.einsum("gkk->gk", covariance))
        self.exact = ~(self.sigma > 0)
        self.safe = np.where(self.exact, 1.0, self.sigma)
        total = np.abs(gap).sum(axis=1, keepdims=True)
        along = np.where(total > 0, gap, self.sigma)
        whole = np.abs(along).sum(axis=1, keepdims=True)
        self.along = along / np.where(whole > 0, whole, 1.0)

    def at(self, t: Array) -> tuple[Array, Array]:
        """(..., G) -> mean and standard deviation (..., G) of the distance."""
        mu, sigma = t[..., None] * self.along, self.sigma
        ratio = mu / self.safe
        bell = np.where(self.exact, 0.0, np.exp(-0.5 * ratio**2))
        sign = np.where(self.exact, np.sign(mu), erf(ratio / _ROOT_TWO))
        mean = sigma * _MEAN_OF_HALF * bell + mu * sign
        bend = 2 * bell / self.safe / _ROOT_TWO_PI
        # To the second order for pairs of bins, exact for each bin with itself.
        pairs = sign[..., :, None] * sign[..., None, :] * self.covariance
        pairs += 0.5 * bend[..., :, None] * bend[..., None, :] * self.square
        np.einsum("...kk->...k", pairs)[...] = np.maximum(mu**2 + sigma**2 - mean**2, 0.0)
        return mean.sum(axis=-1), np.sqrt(np.maximum(pairs.sum(axis=(-2, -1)), 0.0))

    def where(self, distance: Array, errors: Sequence[float]) -> Array:
        """(E, G) the t >= 0 at which `distance` lies each number of standard errors above its
        mean."""
        beyond = np.array(errors)[:, None]
        low = np.zeros((len(beyond), len(distance)))
        high = low + distance + 3 * self.sigma.sum(axis=1)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            mean, error = self.at(middle)
            below = mean + beyond * error < distance
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.where(low > 0, (low + high) / 2, 0.0)


def reliability_bins(score: Array) -> tuple[Bools, Array]:
    """(N,) scores -> (N, B) members of each bin that has any, and its mean probability (B,).

    >>> members, mean = reliability_bins(np.array([0.0] * 20 + [2.0] * 20))
    >>> members.sum(axis=0).tolist(), mean.round(3).tolist()
    ([20, 20], [0.5, 0.881])
    """
    numbers = bins_of(score, np.zeros(1, np.int64))
    members = numbers[:, None] == np.unique(numbers)
    return members, np.asarray(expit(score) @ members / members.sum(axis=0))

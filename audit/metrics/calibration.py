"""Whether scores are probabilities: observed to expected, Brier score; the cases they count.

Every function takes a `Sample`: the cases of G groups one after another, so that all groups are
reckoned in one go. A score is the log-odds of the positive class; its probability is expit(score).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

from audit.metrics.interval import LEVEL
from audit.metrics.proportion import clopper_pearson

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
_FEW = 10  # patients who are quite wrong; fewer are too few for a normal limit


@dataclass(frozen=True)
class Sample:
    """`score`, `positive` (M,): cases group by group, and within a group patient by patient.

    `groups` (G,): the first case of each group; `patients` (C,): of each patient in each group;
    `first` (G,): the place of each group's first patient among those C.
    """

    score: Array
    positive: Bools
    groups: Ints
    patients: Ints
    first: Ints

    @cached_property
    def sizes(self) -> Ints:
        return np.diff(self.groups, append=len(self.score))

    @cached_property
    def clusters(self) -> Ints:
        """(G,) how many patients each group has."""
        return np.diff(self.first, append=len(self.patients))

    def total(self, values: npt.NDArray[np.generic]) -> Array:
        """(M,) -> (G,) sums by group."""
        return np.asarray(np.add.reduceat(values, self.groups, dtype=np.float64))

    def by_patient(self, values: Array) -> Array:
        """(M,) -> (C,) sums by patient within a group."""
        return np.asarray(np.add.reduceat(values, self.patients))

    def spread(self, values: Array) -> Array:
        """(G,) -> (M,)."""
        return np.repeat(values, self.sizes)

    def product(self, one: Array, two: Array) -> Array:
        """(C,) and (C,) per patient -> (G,) sum of products, as if the patients were drawn anew."""
        clusters = self.clusters
        return np.asarray(
            np.add.reduceat(one * two, self.first) * clusters / np.maximum(clusters - 1, 1)
        )


def sample_of(score: Array, positive: Bools, patients: Ints, members: Bools) -> Sample:
    """The cases of every group. `score`, `positive`, `patients` (N,); `members` (N, G).

    Each group needs a case. Patients are any integers; give each case its own where nobody
    repeats.
    """
    order = np.argsort(patients, kind="stable")
    inside = members[order].T
    group, place = np.nonzero(inside)
    index = order[place]
    new = np.diff(group, prepend=-1) != 0
    starts = np.flatnonzero(new)
    who = np.flatnonzero(new | (np.diff(patients[index], prepend=-1) != 0))
    first = np.searchsorted(who, starts)
    return Sample(score[index], positive[index], starts, who, first)


def one_group(
    score: npt.ArrayLike, positive: npt.ArrayLike, patients: npt.ArrayLike | None = None
) -> Sample:
    """The sample of a single group: (N,) scores, truths and, where they repeat, patients."""
    s, y = np.asarray(score, np.float64), np.asarray(positive, bool)
    who = np.arange(len(s)) if patients is None else np.asarray(patients)
    return sample_of(s, y, who.astype(np.int64), np.ones((len(s), 1), bool))


@dataclass(frozen=True)
class Estimate:
    """`value` (G,), NaN where there is none. `error` (G,): standard error, of the logarithm of the
    value where `logarithmic`."""

    value: Array
    error: Array
    logarithmic: bool = False

    def limits(self, level: float = LEVEL) -> tuple[Array, Array]:
        """(G,) two-sided limits."""
        reach = float(ndtri((1 + level) / 2)) * self.error
        if self.logarithmic:
            return self.value * np.exp(-reach), self.value * np.exp(reach)
        return self.value - reach, self.value + reach


def brier(sample: Sample) -> Estimate:
    """Mean square of probability minus outcome: 0 at best, 0.25 for a constant one half.

    Its error is that of a mean over patients. Scores of ±inf are probabilities of 0 and 1.
    Source: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    >>> round(brier(one_group([0.0, 0.0, np.inf], [True, False, True])).value.item(), 4)
    0.1667
    """
    square = (expit(sample.score) - sample.positive) ** 2
    value = sample.total(square) / sample.sizes
    rest = sample.by_patient(square - sample.spread(value))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(sample.product(rest, rest)) / sample.sizes / value
    return Estimate(value, np.where(value > 0, error, 0.0), logarithmic=True)


def brier_limits(sample: Sample) -> tuple[Array, Array]:
    """(G,) 95% limits of the Brier score, with room for errors that happened not to be seen.

    Where fewer than ten patients are wrong by more than one half, the upper limit is at least the
    Clopper-Pearson limit of their share: a case that is quite wrong adds 1.

    >>> low, high = brier_limits(one_group([9.0] * 50 + [-9.0] * 50, [True] * 50 + [False] * 50))
    >>> low.item() < 1e-7, round(high.item(), 4)  # none of 100 wrong: still about 3 in 100
    (True, 0.0362)
    """
    low, high = brier(sample).limits()
    far = np.abs(expit(sample.score) - sample.positive) > 0.5
    wrong = np.add.reduceat(sample.by_patient(far.astype(np.float64)) > 0, sample.first, dtype=int)
    most = clopper_pearson(wrong, sample.clusters)[1]
    return low, np.minimum(np.where(wrong < _FEW, np.maximum(high, most), high), 1.0)


def expected(sample: Sample) -> Array:
    """(G,) positives that the scores promise: the sum of their probabilities."""
    return sample.total(expit(sample.score))


def observed_expected(sample: Sample) -> Estimate:
    """Positives found / positives promised. Above 1 the scores promise too few.

    The error of its logarithm is by linearisation, with the promise as uncertain as the outcome.
    Source: Debray et al. 2017, doi:10.1136/bmj.i6460 (O:E on the logarithmic scale).

    >>> round(observed_expected(one_group([0.0] * 4, [True, True, True, False])).value.item(), 4)
    1.5
    """
    promised = expit(sample.score)
    below = sample.total(promised)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = sample.total(sample.positive) / below
        rest = sample.by_patient(sample.positive - sample.spread(value) * promised)
        error = np.sqrt(sample.product(rest, rest)) / below / value
    return Estimate(value, error, logarithmic=True)

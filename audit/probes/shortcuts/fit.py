"""Out-of-fold predictions and permutations that keep patients whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from audit.findings.view import Bools, Floats, Ints
from audit.metrics.logistic import ridge_logistic

FOLDS = 5
STOP = 5  # exceedances after which more permutations would not change the answer


def folds_of(patients: Ints, positive: Bools, rng: np.random.Generator) -> Ints:
    """(n,) fold of each case: a patient in one fold, patients with a positive dealt out evenly."""
    numbers = np.unique(patients, return_inverse=True)[1]
    ill = np.bincount(numbers[positive], minlength=numbers.max() + 1) > 0
    count = max(2, min(FOLDS, int(ill.sum()), int((~ill).sum())))
    fold = np.empty(len(ill), dtype=np.int64)
    for stratum in (True, False):
        members = rng.permutation(np.flatnonzero(ill == stratum))
        fold[members] = np.arange(len(members)) % count
    return np.asarray(fold[numbers])


def classified(columns: Floats, positive: Bools, fold: Ints, strength: float = 1.0) -> Floats:
    """(n, d) -> (n,) out-of-fold log-odds of an L2 logistic regression, classes weighted alike.

    A part without both classes scores 0.
    """
    scores = np.zeros(len(columns))
    for number in np.unique(fold):
        held = fold == number
        if len(np.unique(positive[~held])) == 2:
            found = ridge_logistic(columns[~held], positive[~held], strength)
            scores[held] = columns[held] @ found[:-1] + found[-1]
    # Equal inputs get equal scores whatever the last digit.
    return np.asarray(np.round(scores, 9))


def regressed(columns: Floats, target: Floats, fold: Ints) -> Floats:
    """(n, d), (n,) -> (n,) out-of-fold predictions of a ridge regression."""
    from sklearn.linear_model import Ridge

    said = np.zeros(len(columns))
    for number in np.unique(fold):
        held = fold == number
        model = Ridge(alpha=1.0, solver="cholesky").fit(columns[~held], target[~held])
        said[held] = model.predict(columns[held])
    return said


def shuffles(patients: Ints, rng: np.random.Generator) -> Iterator[Ints]:
    """Without end: (n,) places to take labels from, moved between patients of as many images.

    A patient's labels stay together, so that what patients have in common is kept.
    """
    numbers = np.unique(patients, return_inverse=True)[1]
    sizes = np.bincount(numbers)
    order = np.argsort(numbers, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    blocks = [
        order[starts[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes)
    ]  # (patients of this size, size) each
    while True:
        taken = np.empty(len(numbers), dtype=np.int64)
        for block in blocks:
            taken[block] = block[rng.permutation(len(block))]
        yield taken


def procedure_p(
    area: Callable[[Bools], float],
    positive: Bools,
    found: float,
    moved: Iterator[Ints],
    most: int,
    check: Callable[[], None],
) -> float:
    """One-sided p-value of an area `found`, the whole procedure `area` run on moved labels.

    Stops at the fifth that does as well, so that little is spent on what is no sign.
    Source: Besag & Clifford 1991, doi:10.1093/biomet/78.2.301.
    """
    reached = 0
    for number in range(1, most + 1):
        check()
        reached += area(positive[next(moved)]) >= found
        if reached >= STOP:
            return reached / number
    return (reached + 1) / (most + 1)


def ranks(values: Floats) -> npt.NDArray[np.float64]:
    """(n,) ranks in [0, 1], ties in the middle."""
    from scipy.stats import rankdata

    return np.asarray((rankdata(values) - 0.5) / len(values))

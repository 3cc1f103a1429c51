"""The 2 × 2 table and the rates read from it: pure functions of boolean arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of true and false positives and negatives."""

    tp: int
    fp: int
    tn: int
    fn: int


def confusion(positive: npt.ArrayLike, called: npt.ArrayLike) -> Confusion:
    """Count (N,) truths against (N,) calls of the positive class.

    >>> confusion([True, True, False, False], [True, False, False, True])
    Confusion(tp=1, fp=1, tn=1, fn=1)
    """
    truth, call = np.asarray(positive, bool), np.asarray(called, bool)
    return Confusion(
        tp=int((truth & call).sum()),
        fp=int((~truth & call).sum()),
        tn=int((~truth & ~call).sum()),
        fn=int((truth & ~call).sum()),
    )


def accuracy(table: Confusion) -> float:
    """Share decided correctly; NaN without cases.

    >>> accuracy(Confusion(tp=8, fp=1, tn=9, fn=2))
    0.85
    """
    return _ratio(table.tp + table.tn, table.tp + table.tn + table.fp + table.fn)


def sensitivity(table: Confusion) -> float:
    """Share of the positives that were called positive (recall).

    >>> sensitivity(Confusion(tp=8, fp=1, tn=9, fn=2))
    0.8
    """
    return _ratio(table.tp, table.tp + table.fn)


def specificity(table: Confusion) -> float:
    """Share of the negatives that were called negative.

    >>> specificity(Confusion(tp=8, fp=1, tn=9, fn=2))
    0.9
    """
    return _ratio(table.tn, table.tn + table.fp)


def balanced_accuracy(table: Confusion) -> float:
    """Mean of sensitivity and specificity: 0.5 for a model that always says the same.

    >>> round(balanced_accuracy(Confusion(tp=8, fp=1, tn=9, fn=2)), 2)
    0.85
    """
    return (sensitivity(table) + specificity(table)) / 2


def precision(table: Confusion) -> float:
    """Share of the calls that were right, in this sample and at its prevalence only.

    >>> precision(Confusion(tp=8, fp=2, tn=9, fn=2))
    0.8
    """
    return _ratio(table.tp, table.tp + table.fp)


def f1(table: Confusion) -> float:
    """Harmonic mean of precision and sensitivity.

    >>> f1(Confusion(tp=8, fp=2, tn=9, fn=2))
    0.8
    """
    return _ratio(2 * table.tp, 2 * table.tp + table.fp + table.fn)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")

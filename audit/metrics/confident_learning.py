"""Labels that a model's probabilities speak against: confident learning, and how many at least.

Source: Northcutt, Jiang & Chuang 2021, arXiv:1911.00068.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def class_thresholds(probabilities: Array, labels: Ints) -> Array:
    """(N, K) probabilities and (N,) given labels -> (K,) mean probability of each class among
    the cases labelled so; infinite where none is.

    >>> class_thresholds(np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]]), np.array([0, 0, 1]))
    array([0.7, 0.9])
    """
    classes = probabilities.shape[1]
    count = np.bincount(labels, minlength=classes)
    own = np.bincount(labels, probabilities[np.arange(len(labels)), labels], minlength=classes)
    return np.where(count > 0, own / np.maximum(count, 1), np.inf)


def confident_classes(probabilities: Array, labels: Ints) -> Ints:
    """(N,) the class each case is confidently counted as, -1 for none: the likeliest of those
    whose probability reaches the class's threshold.

    >>> given = np.array([0, 0, 1])
    >>> confident_classes(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), given).tolist()
    [0, 1, 1]
    """
    reached = probabilities >= class_thresholds(probabilities, labels) - 1e-12
    best = np.where(reached, probabilities, -np.inf).argmax(axis=1)
    return np.where(reached.any(axis=1), best, -1).astype(np.int64)


def confident_joint(probabilities: Array, labels: Ints) -> Ints:
    """(K, K) counts: labelled as the row, confidently counted as the column.

    >>> given = np.array([0, 0, 1])
    >>> confident_joint(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), given).tolist()
    [[1, 1], [0, 1]]
    """
    classes = probabilities.shape[1]
    counted = confident_classes(probabilities, labels)
    known = counted >= 0
    cells = labels[known] * classes + counted[known]
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def suspected(probabilities: Array, labels: Ints) -> Bools:
    """(N,) off the diagonal of the confident joint: confidently counted as another class, and
    likelier that than what the label says.

    >>> given = np.array([0, 0, 1])
    >>> suspected(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), given).tolist()
    [False, True, False]
    """
    counted = confident_classes(probabilities, labels)
    return np.asarray((counted >= 0) & (counted != labels) & (margins(probabilities, labels) < 0))


def margins(probabilities: Array, labels: Ints) -> Array:
    """(N,) normalised margin: probability of the given label less the largest other, in [-1, 1].

    >>> margins(np.array([[0.9, 0.1], [0.25, 0.75]]), np.array([0, 0])).tolist()
    [0.8, -0.5]
    """
    row = np.arange(len(labels))
    others = probabilities.copy()
    others[row, labels] = -np.inf
    return np.asarray(probabilities[row, labels] - others.max(axis=1))

"""Many tests at once: p-values adjusted for how many were made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values in the order given. Source: Holm 1979, jstor.org/stable/4615733.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    found = np.asarray(p_values, np.float64)
    order = np.argsort(found, kind="stable")
    stepped = np.minimum(1.0, np.arange(len(found), 0, -1) * found[order])
    adjusted = np.empty(len(found))
    adjusted[order] = np.maximum.accumulate(stepped)
    return [float(p) for p in adjusted]

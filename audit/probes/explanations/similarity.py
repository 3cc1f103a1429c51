"""How alike two heat maps of one image are."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from audit.probes.cam.maps import Array

FEWEST_CELLS = 9


def rank_similarity(one: Array, two: Array) -> float | None:
    """Spearman's rank correlation of two maps (h, w) over the cells where either is not 0.

    What both leave at 0 (outside a crop, a blank border) says nothing and would count as
    agreement. None where fewer than 9 cells are left or a map is constant over them.
    """
    here = (one != 0) | (two != 0)
    if here.sum() < FEWEST_CELLS:
        return None
    first, second = rankdata(one[here]), rankdata(two[here])
    if first.std() == 0 or second.std() == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])

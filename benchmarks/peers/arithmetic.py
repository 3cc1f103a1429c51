"""What is computed from measured seconds, counts and successes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

Bools = npt.NDArray[np.bool_]
WORSE = 0.05  # a success rate below the peer's counts as worse from this p on


def spread(values: Sequence[float]) -> list[float]:
    """Minimum, median, maximum."""
    return [min(values), statistics.median(values), max(values)]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, as the arms took turns: how many times longer theirs took."""
    return [other / own for own, other in zip(ours, theirs, strict=True)]


def mcnemar(ours: Bools, theirs: Bools) -> dict[str, float]:
    """Exact paired test of two attacks on the same images.

    `only_ours`, `only_theirs`: images fooled by one of them; `p` two-sided, 1 where none differ.
    Source: McNemar 1947; exact as in Agresti 2013, §11.1.
    """
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    differ = only_ours + only_theirs
    p = float(binomtest(only_ours, differ, 0.5).pvalue) if differ else 1.0
    return {"only_ours": only_ours, "only_theirs": only_theirs, "p": p}


def no_worse(test: dict[str, float]) -> bool:
    """Ours fools as many, or fewer by no more than chance explains."""
    return test["only_ours"] >= test["only_theirs"] or test["p"] >= WORSE


def gradient_floor(radii: int) -> float:
    """Forwards per image that FGSM at so many radii cannot do without.

    A gradient is a forward and a backward, and every radius is looked at once.
    """
    return 2.0 + radii


def search_floor(cells: int, fooled: Bools) -> float:
    """Forwards per image of a grid search: all cells where nothing fools, one where one does."""
    return float(np.where(fooled, 1, cells).mean())


def of_floor(forwards: float, forward_seconds: float, seconds: float) -> float:
    """The part of the time per image that the least number of bare forwards explains."""
    return forwards * forward_seconds / seconds


def per(seconds: Sequence[float], units: float) -> list[float]:
    return [value / units for value in seconds]

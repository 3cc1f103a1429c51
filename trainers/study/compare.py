"""Models compared on the same images: the exact paired test of every pair, corrected by Holm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from audit.metrics.difference import mcnemar
from audit.study_results import PairedTest

Bools = npt.NDArray[np.bool_]


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down adjusted p-values in the order given. Source: Holm 1979, jstor.org/stable/4615733.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, floor = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def paired_tests(correct: Mapping[str, Bools], metric: str = "accuracy") -> tuple[PairedTest, ...]:
    """Every pair of models, in the order given. `correct`: name -> (N,) of the same images."""
    counts = [
        (one, two, int((first & ~second).sum()), int((~first & second).sum()), len(first))
        for (one, first), (two, second) in combinations(correct.items(), 2)
    ]
    p_values = [mcnemar(only_first, only_second) for _, _, only_first, only_second, _ in counts]
    return tuple(
        PairedTest(
            first=one,
            second=two,
            metric=metric,
            only_first=only_first,
            only_second=only_second,
            n=n,
            p=p,
            p_holm=corrected,
        )
        for (one, two, only_first, only_second, n), p, corrected in zip(
            counts, p_values, holm(p_values), strict=True
        )
    )

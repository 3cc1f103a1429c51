"""Models compared on the same images: the exact paired test of every pair, corrected by Holm."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from audit.metrics.difference import mcnemar
from audit.metrics.multiplicity import holm
from audit.study_results import PairedTest

Bools = npt.NDArray[np.bool_]


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

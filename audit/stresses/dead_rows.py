"""Dead rows: lines of a detector that give no signal, or all of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from audit.cases.case import Pixels
from audit.errors import HipauditError
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import between, per_severity, severities

AXES = {"rows": 0, "columns": 1}


def _rates(values: Sequence[float]) -> list[float]:
    return severities("per_thousand", values, 0.0, 1000.0)


@stress(
    "dead_rows",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_rates(p["per_thousand"])),
    check=lambda p: _check(p),
)
def dead_rows(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    per_thousand: Sequence[float] = (3.0, 10.0, 30.0, 60.0, 120.0),
    value: float = 0.0,
    axis: Literal["rows", "columns"] = "rows",
) -> Iterator[Altered]:
    """`per_thousand` of the native image's rows (or columns) replaced by `value`.

    0 is a dead line, shown black; 1 a saturated one, shown white. The number of lines is
    rounded, a half up, and is at least one: a rate above 0 is never no fault at all. Places are
    drawn once per case, every line alike, and a severity keeps all lines of the milder ones.
    A raw fault: a maintained system interpolates over the lines it knows of.

    Raises HipauditError for a rate outside [0, 1000] or not rising, a `value` outside [0, 1],
    an `axis` that is neither.
    """
    along = AXES[axis]
    orders = [
        rng.permutation(pixels.shape[along])
        for rng, pixels in zip(batch.rngs, batch.pixels, strict=True)
    ]

    def alter(pixels: Pixels, rate: float, order: np.ndarray) -> Pixels:
        lines = order[: number_of_lines(rate, len(order))]
        altered = pixels.copy()
        altered[lines if along == 0 else (slice(None), lines)] = value
        return altered

    yield from per_severity(batch, "per_thousand", _rates(per_thousand), orders, alter)


def _check(p: Mapping[str, Any]) -> None:
    between(0.0, 1.0, value=p["value"])
    if p["axis"] not in AXES:
        raise HipauditError('`axis` to be "rows" or "columns"', f"{p['axis']!r}")


def number_of_lines(per_thousand: float, length: int) -> int:
    """How many of `length` lines are dead.

    >>> number_of_lines(10, 3000), number_of_lines(10, 224), number_of_lines(1, 100)
    (30, 2, 1)
    """
    if per_thousand == 0:
        return 0
    return max(1, math.floor(per_thousand * length / 1000 + 0.5))

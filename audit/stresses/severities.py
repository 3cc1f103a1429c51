"""What corruptions accept as severities, and how they are handed out: from mild to gross."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from audit.cases.case import Pixels
from audit.errors import HipauditError
from audit.stresses.registry import Altered, Batch

Draw = TypeVar("Draw")


def severities(
    name: str,
    values: float | Sequence[float],
    low: float,
    high: float,
    *,
    falling: bool = False,
    whole: bool = False,
) -> list[float]:
    """One severity or several, each in [low, high] and each grosser than the one before.

    `falling`: the smaller number is the grosser (a quality); `whole`: whole numbers only.
    Raises HipauditError otherwise.
    """
    several = list(values) if isinstance(values, Sequence | np.ndarray) else [values]
    order = "falling" if falling else "rising"
    kind = "whole numbers" if whole else "numbers"
    if not several or not all(_within(value, low, high, whole) for value in several):
        raise HipauditError(f"`{name}` to be {kind} from {low:g} to {high:g}", f"{values!r}")
    for a, b in pairwise(several):
        if not (a > b if falling else a < b):
            raise HipauditError(
                f"`{name}` from mild to gross, that is {order} and none twice",
                f"{values!r}",
                f"Write {sorted(set(several), reverse=falling)!r}.",
            )
    return [int(value) if whole else float(value) for value in several]


def between(low: float, high: float, **named: float) -> None:
    """HipauditError unless every value is one number in [low, high]."""
    for name, value in named.items():
        if not _within(value, low, high, whole=False):
            raise HipauditError(f"`{name}` to be a number from {low:g} to {high:g}", f"{value!r}")


def per_severity(
    batch: Batch,
    name: str,
    values: Sequence[float],
    drawn: Sequence[Draw],
    alter: Callable[[Pixels, float, Draw], Pixels],
) -> Iterator[Altered]:
    """`alter(pixels, severity, draw)` of every native image, a yield per severity.

    `drawn`: what chance decides, once per case: every severity of a case shares it.
    """
    for value in values:
        pairs = zip(batch.pixels, drawn, strict=True)
        yield Altered({name: value}, [alter(pixels, value, draw) for pixels, draw in pairs])


def over_channels(field: np.ndarray, pixels: Pixels) -> np.ndarray:
    """A field (H, W), shaped to act on pixels (H, W) or on each channel of (H, W, 3)."""
    return field if pixels.ndim == 2 else field[:, :, None]


def _within(value: object, low: float, high: float, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    number = float(value)
    return math.isfinite(number) and low <= number <= high and (not whole or number.is_integer())

"""A 95% interval and the name of the method it came from."""

from __future__ import annotations

from typing import NamedTuple

LEVEL = 0.95
Z = 1.959963984540054  # the 97.5% point of the standard normal distribution


class Interval(NamedTuple):
    """Limits of a two-sided 95% interval."""

    low: float
    high: float
    method: str

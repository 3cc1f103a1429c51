"""What attacks inside an ε-ball accept as numbers: a slip must not look like robustness."""

from __future__ import annotations

import math
from collections.abc import Sequence

from audit.errors import HipauditError


def radii(epsilons: float | Sequence[float]) -> list[float]:
    """One radius or several, each in (0, 1] pixels. Raises HipauditError otherwise."""
    several = [epsilons] if isinstance(epsilons, int | float) else list(epsilons)
    good = [e for e in several if _is_number(e) and 0 < e <= 1]
    if not several or len(good) < len(several):
        raise HipauditError("epsilons in (0, 1] pixels", f"{epsilons!r}", "Two levels are 2/255.")
    return [float(epsilon) for epsilon in several]


def at_least(least: int, **named: int) -> None:
    """HipauditError unless every value is a whole number of at least `least`."""
    for name, value in named.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise HipauditError(f"`{name}` to be a whole number from {least}", f"{value!r}")


def positive(**named: float) -> None:
    """HipauditError unless every value is a finite number above 0."""
    for name, value in named.items():
        if not (_is_number(value) and value > 0):
            raise HipauditError(f"`{name}` to be a number above 0", f"{value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

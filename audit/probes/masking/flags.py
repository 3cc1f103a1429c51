"""What a sign of masked gradients is made of, and how many cases make one."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

LEAST = 2
SHARE = 0.05


@dataclass(frozen=True)
class Flag:
    """One sign under one defence: `count` of `of` cases, and the sentence for it.

    `artefact`: robust accuracy as measured here may be too high. False where only other
    people's attacks would be misled.
    """

    code: str
    defence: str
    count: int
    of: int
    text: str
    artefact: bool = True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def enough(count: int, of: int) -> bool:
    """The rule of every count of cases: at least 2, and at least 5% of those looked at.

    >>> enough(1, 4), enough(2, 40), enough(2, 41)
    (False, True, False)
    """
    return count >= max(LEAST, math.ceil(SHARE * of))


def under(defence: str) -> str:
    """Where a sign was seen, as the end of a sentence's subject."""
    return "without a defence" if defence == "none" else f"under {defence}"

"""Which way a tone changes: darker, brighter, or drawn per case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from audit.errors import HipauditError, did_you_mean

Towards = Literal["either", "darker", "brighter"]
SIGNS = {"darker": -1, "brighter": 1}


def check_towards(towards: str) -> None:
    """HipauditError for another word."""
    known = ["either", *SIGNS]
    if towards not in known:
        raise HipauditError(
            '`towards` to be "darker", "brighter" or "either"',
            f"{towards!r}",
            did_you_mean(str(towards), known),
        )


def signs(rngs: Sequence[np.random.Generator], towards: Towards) -> list[int]:
    """-1 for darker and 1 for brighter, one per case; "either" draws them with even odds."""
    if towards == "either":
        return [-1 if rng.random() < 0.5 else 1 for rng in rngs]
    return [SIGNS[towards]] * len(rngs)

"""Which way a tone changes: darker, brighter, or drawn per case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from audit.errors import HipauditError, did_you_mean

Towards = Literal["either", "darker", "brighter"]
SIGNS = {"darker": -1, "brighter": 1}


def signs(rngs: Sequence[np.random.Generator], towards: Towards) -> list[int]:
    """-1 for darker and 1 for brighter, one per case; "either" draws them with even odds.

    Raises HipauditError for another word.
    """
    if towards == "either":
        return [-1 if rng.random() < 0.5 else 1 for rng in rngs]
    if towards not in SIGNS:
        known = ["either", *SIGNS]
        raise HipauditError(
            '`towards` to be "darker", "brighter" or "either"',
            f"{towards!r}",
            did_you_mean(str(towards), known),
        )
    return [SIGNS[towards]] * len(rngs)

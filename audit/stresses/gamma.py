"""Gamma: another tone curve than the one the image was made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities
from audit.stresses.towards import Towards, check_towards, signs


def _gammas(values: Sequence[float]) -> list[float]:
    return severities("gammas", values, 1.0, 10.0)


@stress(
    "gamma",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_gammas(p["gammas"])),
    check=lambda p: check_towards(p["towards"]),
)
def gamma(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    gammas: Sequence[float] = (1.2, 1.5, 2.0, 2.5, 3.0),
    towards: Towards = "either",
) -> Iterator[Altered]:
    """Each native pixel v shown as v^g ("darker") or v^(1/g) ("brighter"), g from `gammas`.

    Black and white stay, mid-tones move: wrong processing or display, where nothing is cut off.
    `towards` "darker", "brighter" or "either", drawn once per case.

    Raises HipauditError for a gamma outside [1, 10] or not rising, another `towards`.
    """
    drawn = signs(batch.rngs, towards)

    def alter(pixels: Pixels, factor: float, sign: int) -> Pixels:
        return np.power(pixels, np.float32(factor**-sign))

    yield from per_severity(batch, "gamma", _gammas(gammas), drawn, alter)

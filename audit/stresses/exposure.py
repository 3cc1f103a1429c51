"""Exposure: too much or too little of it, shown without correction."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from audit.cases.case import Pixels
from audit.stresses.radii import positive
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities
from audit.stresses.towards import Towards, check_towards, signs


def _stops(values: Sequence[float]) -> list[float]:
    return severities("stops", values, 0.0, 10.0)


@stress(
    "exposure",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_stops(p["stops"])),
    check=lambda p: _check(p),
)
def exposure(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    stops: Sequence[float] = (0.25, 0.5, 1.0, 1.5, 2.0),
    towards: Towards = "either",
    depth: float = 4.0,
) -> Iterator[Altered]:
    """Each native image as if taken with 2^`stops` times, or one 2^`stops`-th of, its exposure.

    A displayed pixel v is taken as attenuation, as in quantum_noise: the detector sees
    exp(-depth·v). More exposure then shifts every v by -ln(2)/depth per stop (0.17 of the range
    with the default) and what leaves [0, 1] is cut off: overexposed, soft tissue goes black;
    underexposed, bone goes white. `towards` "darker" (over), "brighter" (under) or "either",
    drawn once per case. A system that finds its own display range undoes the shift and leaves
    the noise of a lower dose: that is quantum_noise, not modelled here.

    Raises HipauditError for stops outside [0, 10] or not rising, a depth not above 0, another
    `towards`.
    """
    drawn = signs(batch.rngs, towards)

    def alter(pixels: Pixels, stop: float, sign: int) -> Pixels:
        shift = np.float32(sign * stop * math.log(2.0) / depth)
        return np.asarray(np.clip(pixels + shift, 0.0, 1.0))

    yield from per_severity(batch, "stops", _stops(stops), drawn, alter)


def _check(p: Mapping[str, Any]) -> None:
    positive(depth=p["depth"])
    check_towards(p["towards"])

"""Bit depth: fewer grey levels than the image was taken with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities


def _depths(values: Sequence[int]) -> list[float]:
    return severities("bits", values, 1, 16, falling=True, whole=True)


@stress(
    "bit_depth", kind="corruption", domain="acquisition", cost=lambda p: len(_depths(p["bits"]))
)
def bit_depth(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    bits: Sequence[int] = (6, 5, 4, 3, 2),
) -> Iterator[Altered]:
    """Each native image with 2^`bits` grey levels, evenly spaced from black to white.

    v becomes the nearest of 0, Δ, 2Δ, … 1 with Δ = 1/(2^bits - 1), a half to the brighter
    level. Black and white stay, nothing shifts on average and nothing changes by more than
    Δ/2; cutting off the low bits would darken the image instead. No dithering. An image that
    has no more levels than that (an 8-bit one at `bits` 8) is unchanged.

    Raises HipauditError unless `bits` are falling whole numbers from 16 to 1.
    """
    nothing = [None] * len(batch.pixels)
    yield from per_severity(batch, "bits", _depths(bits), nothing, lambda p, b, _: quantised(p, b))


def quantised(pixels: Pixels, bits: float) -> Pixels:
    """Pixels in [0, 1], of any shape, on 2^bits levels."""
    steps = np.float32(2**bits - 1)
    levels = np.floor(pixels * steps + np.float32(0.5))
    levels /= steps
    return np.asarray(levels, dtype=np.float32)

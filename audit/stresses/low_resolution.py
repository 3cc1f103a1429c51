"""Low resolution: an image that was once stored much smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities


def _sides(values: Sequence[int]) -> list[float]:
    return severities("sides", values, 1, 8192, falling=True, whole=True)


@stress(
    "low_resolution",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_sides(p["sides"])),
)
def low_resolution(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    sides: Sequence[int] = (192, 128, 96, 64, 32),
) -> Iterator[Altered]:
    """Each native image resampled so that its short side has `sides` pixels, and back.

    Down with antialiasing (a triangle as wide as two of the new pixels), up bilinearly, both as
    in Pillow. An absolute number of pixels, because a network reads a fixed number too: sides
    above the network's own input change next to nothing, and a native image that is no larger
    is unchanged. Nothing is drawn.

    Raises HipauditError unless `sides` are falling whole numbers from 8192 to 1.
    """
    nothing = [None] * len(batch.pixels)
    yield from per_severity(batch, "side", _sides(sides), nothing, lambda p, s, _: coarse(p, s))


def coarse(pixels: Pixels, side: float) -> Pixels:
    """Pixels (H, W) or (H, W, 3) as if their short side had `side` pixels."""
    shape = pixels.shape[:2]
    short = min(shape)
    if side >= short:
        return pixels.copy()
    small = [max(1, round(length * side / short)) for length in shape]
    planes = torch.from_numpy(np.ascontiguousarray(pixels.reshape(*shape, -1)))
    image = planes.permute(2, 0, 1)[None].contiguous()
    back = _resized(_resized(image, small), list(shape)).clamp_(0.0, 1.0)[0]
    return back.permute(1, 2, 0).contiguous().numpy().reshape(pixels.shape)


def _resized(image: Tensor, size: list[int]) -> Tensor:
    return interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)

"""Contrast loss: scattered radiation, or a flat detector response, veils the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities


def _parts(values: Sequence[float]) -> list[float]:
    return severities("kept", values, 0.0, 1.0, falling=True)


@stress(
    "contrast_loss", kind="corruption", domain="acquisition", cost=lambda p: len(_parts(p["kept"]))
)
def contrast_loss(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    kept: Sequence[float] = (0.8, 0.6, 0.4, 0.2, 0.1),
) -> Iterator[Altered]:
    """Each native image with the part `kept` of its contrast, about its own mean.

    v becomes mean + kept·(v - mean). A uniform veil of scatter does this to small differences of
    attenuation: kept = 1/(1 + scatter-to-primary ratio), and a ratio of 4 leaves 0.2. The
    mean stays, as a display range found by itself keeps it. A colour image has one mean, over
    its channels. No noise of the scatter is added. Nothing is drawn.

    Raises HipauditError for `kept` outside [0, 1] or not falling.
    """
    nothing = [None] * len(batch.pixels)
    yield from per_severity(batch, "kept", _parts(kept), nothing, lambda p, k, _: veiled(p, k))


def veiled(pixels: Pixels, kept: float) -> Pixels:
    """Pixels of any shape in [0, 1], drawn together towards their mean."""
    mean = pixels.mean(dtype=np.float64)
    shown = pixels * np.float32(kept)
    shown += np.float32((1.0 - kept) * mean)
    return np.clip(shown, 0.0, 1.0, out=shown)

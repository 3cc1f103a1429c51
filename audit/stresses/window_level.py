"""Window and level: a narrower part of the grey scale, stretched over all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import between, per_severity, severities


def _widths(values: Sequence[float]) -> list[float]:
    return severities("widths", values, 0.01, 1.0, falling=True)


@stress(
    "window_level",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_widths(p["widths"])),
    check=lambda p: between(0.0, 1.0, jitter=p["jitter"]),
)
def window_level(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    widths: Sequence[float] = (0.9, 0.75, 0.6, 0.45, 0.3),
    jitter: float = 0.5,
) -> Iterator[Altered]:
    """Each native image shown in a window of `widths` parts of the grey scale.

    v becomes (v - level)/width + 1/2, cut to [0, 1]: contrast grows by 1/width inside the window
    and is lost outside it. The level, the window's centre, is drawn once per case: off the middle
    of the scale by up to the part `jitter` of the room there is (0 = central, 1 = from black or
    to white), so that a narrower window lies within the wider one.

    Raises HipauditError for a width outside [0.01, 1] or not falling, a `jitter` outside [0, 1].
    """
    offsets = [float(rng.uniform(-jitter, jitter)) for rng in batch.rngs]

    def alter(pixels: Pixels, width: float, offset: float) -> Pixels:
        return windowed(pixels, width, 0.5 + offset * (1.0 - width) / 2)

    yield from per_severity(batch, "width", _widths(widths), offsets, alter)


def windowed(pixels: Pixels, width: float, level: float) -> Pixels:
    """Pixels of any shape in [0, 1], the window [level - width/2, level + width/2] stretched."""
    low = level - width / 2
    shown = pixels * np.float32(1.0 / width)
    shown -= np.float32(low / width)
    return np.clip(shown, 0.0, 1.0, out=shown)

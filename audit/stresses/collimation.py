"""Collimation: a narrower field, its borders closed off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import between, over_channels, per_severity, severities


def _closed(values: Sequence[float]) -> list[float]:
    return severities("closed", values, 0.0, 0.99)


@stress(
    "collimation",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_closed(p["closed"])),
    check=lambda p: between(0.0, 1.0, jitter=p["jitter"], shade=p["shade"]),
)
def collimation(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    closed: Sequence[float] = (0.1, 0.2, 0.3, 0.45, 0.6),
    jitter: float = 0.5,
    shade: float = 0.0,
) -> Iterator[Altered]:
    """A rectangular field that leaves the part `closed` of the image's area unexposed.

    The field keeps the proportions of the image. Its centre is drawn once per case: off the
    image's centre by up to the part `jitter` of the room there is (0 = central, 1 = to the
    border), so that a severer field lies within the milder one. Outside it the image is
    `shade`: 0 black, as the shutter of a digital system shows it; 1 white, as unexposed film.
    A pixel on the edge is mixed by the part of it that is exposed: the closed area is exact.

    Raises HipauditError for `closed` outside [0, 0.99] or not rising, `jitter` or `shade`
    outside [0, 1].
    """
    offsets = [tuple(rng.uniform(-jitter, jitter, 2)) for rng in batch.rngs]

    def alter(pixels: Pixels, part: float, offset: tuple[float, ...]) -> Pixels:
        return collimated(pixels, part, offset, shade)

    yield from per_severity(batch, "closed", _closed(closed), offsets, alter)


def collimated(pixels: Pixels, closed: float, offset: Sequence[float], shade: float) -> Pixels:
    """Pixels (H, W) or (H, W, 3); `offset` (down, right) in [-1, 1] of the free margin."""
    side = np.sqrt(1.0 - closed)
    rows, columns = (
        exposed(length, side * length, place)
        for length, place in zip(pixels.shape[:2], offset, strict=True)
    )
    field = over_channels(np.outer(rows, columns).astype(np.float32), pixels)
    if shade == 0.0:
        return np.asarray(pixels * field, dtype=np.float32)
    return np.asarray(shade + (pixels - np.float32(shade)) * field, dtype=np.float32)


def exposed(length: int, open_length: float, offset: float) -> np.ndarray:
    """The part of each of `length` pixels that lies in an opening of `open_length` pixels."""
    start = (length - open_length) * (1.0 + offset) / 2
    edges = np.clip(np.arange(length + 1, dtype=np.float64), start, start + open_length)
    return np.diff(edges)

"""Side marker: a lead letter L or R in a corner of the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import between, over_channels, per_severity, severities

# Letters of 5 by 7 squares, so that they need no font and are the same everywhere.
LETTERS = {
    "L": ("#....", "#....", "#....", "#....", "#....", "#....", "#####"),
    "R": ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"),
}
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # 0 = top or left, 1 = bottom or right
Sign = tuple[str, tuple[int, int]]


def _heights(values: Sequence[float]) -> list[float]:
    return severities("heights", values, 0.001, 0.5)


@stress(
    "side_marker",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_heights(p["heights"])),
    check=lambda p: _check(p),
)
def side_marker(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    heights: Sequence[float] = (0.02, 0.04, 0.06, 0.08, 0.1),
    margin: float = 0.03,
    brightness: float = 1.0,
) -> Iterator[Altered]:
    """A letter burned in, its height a part of the image's (`heights`), opaque as lead.

    L or R and one of the four corners are drawn once per case, each as likely and whatever the
    label or the true side: a decision that follows the marker is a shortcut. `margin` is the
    distance to both borders, a part of the height; `brightness` the grey level, 1 white. The
    letter is 5/7 as wide as high; a pixel on its edge is mixed by the part it covers. What does
    not fit into a very narrow image is cut off.

    Raises HipauditError for `heights` outside [0.001, 0.5] or not rising, `margin` outside
    [0, 0.5], `brightness` outside [0, 1].
    """
    signs = [_drawn(rng) for rng in batch.rngs]

    def alter(pixels: Pixels, height: float, sign: Sign) -> Pixels:
        return marked(pixels, height, sign, margin, brightness)

    yield from per_severity(batch, "height", _heights(heights), signs, alter)


def _check(p: Mapping[str, Any]) -> None:
    between(0.0, 0.5, margin=p["margin"])
    between(0.0, 1.0, brightness=p["brightness"])


def _drawn(rng: np.random.Generator) -> Sign:
    letter = sorted(LETTERS)[int(rng.integers(2))]
    return letter, CORNERS[int(rng.integers(4))]


def marked(pixels: Pixels, height: float, sign: Sign, margin: float, brightness: float) -> Pixels:
    """Pixels (H, W) or (H, W, 3) with a letter; `height` and `margin` as parts of H."""
    letter, corner = sign
    drawn = np.array([[mark == "#" for mark in row] for row in LETTERS[letter]], dtype=np.float64)
    square = height * pixels.shape[0] / len(drawn)
    down, right = (
        _overlaps(length, count, square, margin * pixels.shape[0], at_end)
        for length, count, at_end in zip(pixels.shape[:2], drawn.shape, corner, strict=True)
    )
    window = (down[0], right[0])
    ink = over_channels((down[1] @ drawn @ right[1].T).astype(np.float32), pixels)
    altered = pixels.copy()
    altered[window] += ink * (np.float32(brightness) - altered[window])
    return np.clip(altered, 0.0, 1.0, out=altered)


def _overlaps(
    length: int, count: int, square: float, margin: float, at_end: int
) -> tuple[slice, np.ndarray]:
    """Where `count` squares lie on an axis of `length` pixels, and what they cover of each.

    The slice of pixels touched, and (pixels, squares) with the length of each overlap.
    """
    start = length - margin - count * square if at_end else margin
    first = min(length, max(0, int(np.floor(start))))
    last = min(length, max(first, int(np.ceil(start + count * square))))
    edges = np.arange(first, last + 1, dtype=np.float64)
    left = start + square * np.arange(count)
    inside = np.clip(edges[:, None], left, left + square)
    return slice(first, last), np.diff(inside, axis=0)

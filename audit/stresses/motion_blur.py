"""Motion blur: the patient or the tube moved in a straight line during the exposure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities


def _lengths(values: Sequence[float]) -> list[float]:
    return severities("lengths", values, 0.0, 0.5)


@stress(
    "motion_blur",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_lengths(p["lengths"])),
)
def motion_blur(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    lengths: Sequence[float] = (0.005, 0.01, 0.02, 0.04, 0.08),
) -> Iterator[Altered]:
    """Each native image averaged along a straight path, walked at constant speed.

    `lengths`: of the path, as parts of the image's height. The direction is uniform over 180°
    and drawn once per case: every severity shares it. The average is of displayed pixels;
    what lies beyond the border is taken to continue it.

    Raises HipauditError for a length outside [0, 0.5] or not rising.
    """
    directions = [float(rng.uniform(0.0, 180.0)) for rng in batch.rngs]

    def alter(pixels: Pixels, length: float, direction: float) -> Pixels:
        return smeared(pixels, length * pixels.shape[0], direction)

    yield from per_severity(batch, "length", _lengths(lengths), directions, alter)


def smeared(pixels: Pixels, length: float, direction: float) -> Pixels:
    """Pixels (H, W) or (H, W, 3) averaged over a path of `length` pixels, centred on each.

    `direction` in degrees, counter-clockwise from the row as displayed. The path is sampled once
    per pixel along the axis it is closer to, linearly between pixels across it; the two ends
    count by the part of a pixel they cover. A path within one pixel changes nothing.
    """
    along, up = math.cos(math.radians(direction)), math.sin(math.radians(direction))
    steep = abs(up) > abs(along)
    image = pixels.swapaxes(0, 1) if steep else pixels
    slope = along / up if steep else up / along  # rows upwards per column
    width = length * max(abs(along), abs(up))
    if width <= 1.0:
        return pixels.copy()
    upwards = slope > 0
    path = _averaged(image[::-1] if upwards else image, width, abs(slope))
    path = path[::-1] if upwards else path
    path = path.swapaxes(0, 1) if steep else path
    return np.asarray(np.clip(path, 0.0, 1.0), dtype=np.float32)


def _averaged(image: Pixels, width: float, slope: float) -> Pixels:
    """Box average over `width` > 1 columns, `slope` >= 0 rows down per column."""
    reach = math.ceil((width - 1.0) / 2)  # the path covers columns -reach … reach
    end = (width - (2 * reach - 1)) / 2
    above = math.ceil(slope * reach) + 1
    below = above + (2 * reach).bit_length() + 4  # every interpolation costs a row
    rest = [(0, 0)] * (image.ndim - 2)
    padded = np.pad(image, [(above, below), (reach, reach), *rest], mode="edge")
    canvas = torch.from_numpy(padded)
    inner = _run(_ahead(canvas, 1, slope), 2 * reach - 1, slope)
    last = _ahead(canvas, 2 * reach, slope)
    start = above - slope * reach  # rows from the canvas to the image, a fraction included
    rows, columns = image.shape[0] + math.floor(start) + 1, image.shape[1]
    total = canvas[:rows, :columns] + last[:rows, :columns]
    total.mul_(end).add_(inner[:rows, :columns]).mul_(1.0 / width)
    return np.asarray(_rows_down(total, start).numpy())


def _run(image: Tensor, count: int, slope: float) -> Tensor:
    """The sum of `count` steps along the path, by doubling: some 2·log2(count) additions."""
    total: Tensor | None = None
    done, size = 0, 1
    while True:
        if count & size:
            piece = _ahead(image, done, slope)
            total = piece if total is None else _plus(total, piece)
            done += size
        if size * 2 > count:
            return image if total is None else total
        image = _plus(image, _ahead(image, size, slope))
        size *= 2


def _ahead(image: Tensor, steps: int, slope: float) -> Tensor:
    """The image seen `steps` columns further and slope·steps rows down; it shrinks by as much."""
    return _rows_down(image[:, steps:], slope * steps)


def _rows_down(image: Tensor, rows: float) -> Tensor:
    whole = math.floor(rows)
    upper, lower = image[whole:-1], image[whole + 1 :]
    return upper.lerp(lower, rows - whole) if rows > whole else upper


def _plus(one: Tensor, two: Tensor) -> Tensor:
    """Their sum where both are."""
    rows, columns = min(one.shape[0], two.shape[0]), min(one.shape[1], two.shape[1])
    return one[:rows, :columns] + two[:rows, :columns]

"""Rotating and shifting batches of images, with directions that are written down and tested.

Everywhere in hipaudit: a positive angle turns the content counter-clockwise as displayed
(row 0 on top), a positive dx moves it right, a positive dy moves it down. The rotation is
about the centre of the image and comes first, the shift second (Engstrom et al. 2019, eq. 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from audit.errors import HipauditError, did_you_mean

FILLS = ("zero", "edge", "mean")
INTERPOLATIONS = ("bilinear", "bicubic", "nearest")


def whole_pixels(fraction: float, size: int) -> int:
    """A shift as a fraction of the side -> whole pixels, never further than asked.

    >>> whole_pixels(0.1, 224), whole_pixels(-0.1, 224), whole_pixels(0.15, 20)
    (22, -22, 3)
    """
    return math.trunc(fraction * size + math.copysign(1e-9, fraction))


def check_filling(fill: str, interpolation: str) -> None:
    """HipauditError when one of the two words is not known."""
    for what, word, known in (
        ("a fill", fill, FILLS),
        ("an interpolation", interpolation, INTERPOLATIONS),
    ):
        if word not in known:
            raise HipauditError(what, f'"{word}"', did_you_mean(str(word), list(known)))


def warp(
    images: Tensor,
    angles: Sequence[float],
    rights: Sequence[int],
    downs: Sequence[int],
    *,
    fill: str = "zero",
    interpolation: str = "bilinear",
) -> Tensor:
    """Each image rotated by its own angle (degrees), then shifted by its own whole pixels.

    (N, C, H, W) in [0, 1] -> the same shape, in [0, 1]. What comes in from outside is black
    ("zero"), the nearest border pixel ("edge") or the image's mean per channel ("mean").
    Where the angle is 0 the result is a slice of the input, bit for bit.
    """
    height, width = images.shape[-2:]
    lefts, tops = [-r for r in rights], [-d for d in downs]
    return window(images, angles, lefts, tops, (height, width), fill, interpolation)


def window(
    images: Tensor,
    angles: Sequence[float],
    lefts: Sequence[int],
    tops: Sequence[int],
    size: tuple[int, int],
    fill: str = "zero",
    interpolation: str = "bilinear",
) -> Tensor:
    """What a window of `size` shows of each rotated image, its corner at column left, row top.

    The rotated image lies on an unbounded plane, so a window larger than the image holds
    every shift of it: a cell of a grid is then a slice, equal bit for bit to `warp`.
    """
    check_filling(fill, interpolation)
    if len({*zip(angles, lefts, tops, strict=True)}) == 1:
        return _alike(images, angles[0], lefts[0], tops[0], size, fill, interpolation)
    out = images.new_empty((*images.shape[:2], *size))
    turned = [i for i, angle in enumerate(angles) if angle != 0]
    for i in set(range(len(images))).difference(turned):
        out[i] = _slice(images[i], lefts[i], tops[i], size, fill)
    if turned:
        turns = [angles[i] for i in turned]
        corners = [lefts[i] for i in turned], [tops[i] for i in turned]
        grid = _coordinates(images.shape[-2:], turns, *corners, size, images.dtype)
        out[turned] = _sample(images[turned], grid.to(images.device), fill, interpolation)
    return out


def _alike(
    images: Tensor,
    angle: float,
    left: int,
    top: int,
    size: tuple[int, int],
    fill: str,
    interpolation: str,
) -> Tensor:
    """`window` of images that are all turned and shifted alike: coordinates are made once."""
    if angle == 0:
        return _slice(images, left, top, size, fill)
    shape = images.shape[-2], images.shape[-1]
    grid = _one_grid(angle, left, top, size, shape, images.dtype, images.device)
    return _sample(images, grid.expand(len(images), -1, -1, -1), fill, interpolation)


def canvas(
    images: Tensor, angle: float, reach: tuple[int, int], fill: str, interpolation: str
) -> Tensor:
    """Images rotated by one angle, with a rim of `reach` (columns, rows) so `cut` can shift them.

    One rotation then serves every shift: (N, C, H + 2 * rows, W + 2 * columns).
    """
    count, (height, width) = len(images), images.shape[-2:]
    size = (height + 2 * reach[1], width + 2 * reach[0])
    corner = ([-reach[0]] * count, [-reach[1]] * count)
    return window(images, [angle] * count, *corner, size, fill, interpolation)


def cut(held: Tensor, right: int, down: int, reach: tuple[int, int]) -> Tensor:
    """The images of a `canvas` shifted by whole pixels within its reach: a view, no copy."""
    height, width = held.shape[-2] - 2 * reach[1], held.shape[-1] - 2 * reach[0]
    top, left = reach[1] - down, reach[0] - right
    return held[:, :, top : top + height, left : left + width]


def _slice(image: Tensor, left: int, top: int, size: tuple[int, int], fill: str) -> Tensor:
    """(..., H, W) -> (..., *size): padded where the window leaves it, cut where it enters."""
    height, width = image.shape[-2:]
    right, bottom = left + size[1] - width, top + size[0] - height
    sides = (-left, right, -top, bottom)
    if fill == "edge":
        # F.pad refuses to crop and replicate at once: index clamped to the border instead.
        rows = torch.arange(top, top + size[0]).clamp(0, height - 1)
        columns = torch.arange(left, left + size[1]).clamp(0, width - 1)
        return image[..., rows, :][..., columns]
    out = F.pad(image, sides)
    if fill == "mean":
        inside = F.pad(torch.ones_like(image[..., :1, :, :]), sides)
        out = out + (1 - inside) * image.mean(dim=(-2, -1), keepdim=True)
    return out


@lru_cache(maxsize=8)  # a defence's few views, or the angles of a map, again for every batch
def _one_grid(
    angle: float,
    left: int,
    top: int,
    size: tuple[int, int],
    shape: tuple[int, int],
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """`_coordinates` of one window, (1, h, w, 2); not to be written into."""
    return _coordinates(shape, [angle], [left], [top], size, dtype).to(device)


def _coordinates(
    shape: Sequence[int],
    angles: Sequence[float],
    lefts: Sequence[int],
    tops: Sequence[int],
    size: tuple[int, int],
    dtype: torch.dtype,
) -> Tensor:
    """Where each pixel of the windows comes from, for grid_sample: (M, h, w, 2) in [-1, 1].

    Element by element in float64, so that a row does not depend on the batch around it.
    """
    height, width = shape

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)

    radians = column(angles) * (math.pi / 180)
    cosine, sine = torch.cos(radians), torch.sin(radians)
    x = torch.arange(size[1], dtype=torch.float64) + column(lefts) - (width - 1) / 2  # (M, 1, w)
    y = torch.arange(size[0], dtype=torch.float64)[:, None] + column(tops) - (height - 1) / 2
    # Rows grow downwards: turning the content counter-clockwise looks the pixel up clockwise.
    source_x = cosine * x, sine * y
    source_y = sine * x, -(cosine * y)
    grid = torch.empty((len(angles), *size, 2), dtype=dtype)
    # align_corners=False: -1 and 1 are the outer edges of the first and the last pixel.
    for place, (source, scale) in enumerate([(source_x, 2 / width), (source_y, 2 / height)]):
        for out, along, down in zip(grid, *source, strict=True):  # one image stays in the cache
            out[..., place] = (along - down).mul_(scale)
    return grid


def _sample(images: Tensor, grid: Tensor, fill: str, interpolation: str) -> Tensor:
    padding = "border" if fill == "edge" else "zeros"

    def sampled(x: Tensor) -> Tensor:
        return F.grid_sample(x, grid, interpolation, padding, align_corners=False)

    out = sampled(images)
    if fill == "mean":
        inside = sampled(torch.ones_like(images[:, :1]))
        out = out + (1 - inside) * images.mean(dim=(2, 3), keepdim=True)
    return out.clamp(0.0, 1.0)

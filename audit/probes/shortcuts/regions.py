"""Regions of the prepared input where no lesion is expected, and how they are filled.

`border`: the outer tenth on each side. `marker`: what looks like a lead letter near an edge. Each
has a control of the same area elsewhere, since filling is itself a change of the image.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Image = npt.NDArray[np.float32]  # (H, W) in [0, 1]
Box = tuple[slice, slice]

FRAME = 0.10  # of the side
EDGE = 0.30  # how far from an edge a marker's middle may lie, of the side
STROKES = (0.04, 0.16)  # a letter is of thin strokes, a blocker thicker, of the side
SMALLEST, LARGEST = 0.025, 0.15  # height and width of a marker, of the side
CONTRAST = 0.15  # of a marker above its surround, at least
CLEAR = 0.12  # above the brightest tenth of its surround, at least
BRIGHTER_THAN = 0.9
BRIGHT = 0.7  # at least as bright as this part of the image
SOLID, LEVEL = 0.7, 0.05  # of what is thicker: part of its box covered, spread of its grey levels
FILLED = 0.15  # part of its box that a letter covers, at least
PAD = 0.012  # left around a marker's box, of the side
MOST_MARKERS = 4
RULE = (
    "a marker is a connected bright thing with strokes thinner than 4% of the side, 2.5 to 15% "
    "high and 1 to 15% wide, its middle within 30% of an edge, brighter than an even surround by "
    "at least 0.2 of the grey scale; at most four, brightest first"
)


@cache
def border(height: int, width: int) -> Bools:
    """(H, W): the outer tenth of height and width on each side."""
    mask = np.ones((height, width), dtype=bool)
    mask[_within(height, width, 0)] = False
    return mask


@cache
def ring(height: int, width: int) -> Bools:
    """(H, W): the frame just inside the border, of the same area up to a line of pixels."""
    mask = ~border(height, width)
    inner = int(mask.sum())

    def missed(lines: int) -> int:
        area = inner - mask[_within(height, width, lines)].size
        return abs(area - (mask.size - inner))

    lines = min(range(1, min(height, width) // 2), key=missed, default=0)
    mask[_within(height, width, lines)] = False
    return mask


def _within(height: int, width: int, lines: int) -> Box:
    """What lies inside the border and so many lines more on each side."""
    down, across = (max(1, round(FRAME * length)) + lines for length in (height, width))
    return slice(down, height - down), slice(across, width - across)


def markers(image: Image) -> list[Box]:
    """Boxes of what looks like a side marker, brightest first; see RULE."""
    side, found = min(image.shape), []
    for thickness in STROKES:
        rise = image - opened(image, max(3, round(thickness * side)))
        parts, _ = ndimage.label(rise > CONTRAST, structure=np.ones((3, 3)))
        for place, box in enumerate(ndimage.find_objects(parts), start=1):
            if not _sized(box, image.shape):
                continue
            inside = parts[box] == place
            fits = inside.mean() >= FILLED
            fits = fits and (thickness < LARGEST or _plain(image[box], inside))
            above = _contrast(image, box, inside) if fits else None
            if above is not None:
                found.append((*above, _padded(box, image.shape)))
    bright = _quantile(np.sort(image, axis=None), BRIGHT) if found else 0.0
    kept: list[Box] = []
    for _, level, box in sorted(found, key=lambda one: (-one[0], one[2][0].start, one[2][1].start)):
        fits = level >= bright and len(kept) < MOST_MARKERS
        if fits and not any(_meet(box, other) for other in kept):
            kept.append(box)
    return kept


def opened(image: Image, size: int) -> Image:
    """The grey opening of an image (H, W) by a square: scipy's grey_opening, to the bit.

    The least of every square, then the greatest of these; down and across apart, by doubling.
    """
    before, after = size // 2, (size - 1) // 2
    least = _over_rows(image, size, before, np.minimum, np.inf)
    turned = _over_rows(least.T, size, before, np.minimum, np.inf)
    turned = _over_rows(turned, size, after, np.maximum, -np.inf)
    return _over_rows(turned.T, size, after, np.maximum, -np.inf)


def _over_rows(image: Image, size: int, before: int, pick: np.ufunc, beyond: float) -> Image:
    """(H, W): what is picked of `size` rows, `before` of them above; `beyond` lies outside."""
    high, wide = image.shape
    rows = np.empty((high + size - 1, wide), dtype=np.float32)
    rows[:before] = rows[before + high :] = beyond
    rows[before : before + high] = image
    reach = 1  # rows that each row stands for
    while reach < size:
        step = min(reach, size - reach)
        rows = pick(rows[:-step], rows[step:])
        reach += step
    return rows


def _meet(one: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def _sized(box: Box, shape: tuple[int, ...]) -> bool:
    """Whether a thing has the size and the place of a marker."""
    side = min(shape)
    down, across = box
    high, wide, most = down.stop - down.start, across.stop - across.start, LARGEST * side
    if not (max(4, SMALLEST * side) <= high <= most and max(2, 0.01 * side) <= wide <= most):
        return False
    middles = (down.start + down.stop) / 2, (across.start + across.stop) / 2
    nearest = min(min(m, length - m) for m, length in zip(middles, shape, strict=True))
    return bool(nearest <= EDGE * side)


def _plain(patch: Image, inside: Bools) -> bool:
    """Whether a thick thing is one solid piece of one grey level."""
    if inside.mean() < SOLID:
        return False
    ordered = np.sort(patch[inside])
    return _quantile(ordered, 0.75) - _quantile(ordered, 0.25) <= LEVEL


def _contrast(image: Image, box: Box, inside: Bools) -> tuple[float, float] | None:
    """How far a thing rises above its surround, and its level; None where that is no even
    ground."""
    rim = 1 + max(2, round(0.02 * min(image.shape)))
    wide, near = _grown(box, rim, image.shape), _grown(box, 1, image.shape)
    around = np.ones(image[wide].shape, dtype=bool)
    hole = tuple(
        slice(n.start - w.start, n.stop - w.start) for n, w in zip(near, wide, strict=True)
    )
    around[hole] = False
    level = _quantile(np.sort(image[box][inside]), 0.9)  # what lies on an edge is half as bright
    ground = np.sort(image[wide][around])
    above = level - _quantile(ground, 0.5)
    even = level - _quantile(ground, BRIGHTER_THAN) >= CLEAR
    return (above, level) if even and above >= CONTRAST else None


def _quantile(ordered: Image, share: float) -> float:
    """numpy's linear quantile, of sorted values (n,): its call takes longer than sorting a few."""
    at = share * (len(ordered) - 1)
    low, high = ordered[int(at)], ordered[math.ceil(at)]
    return float(low) + (at - int(at)) * (float(high) - float(low))


def _padded(box: Box, shape: tuple[int, ...]) -> Box:
    return _grown(box, max(1, round(PAD * min(shape))), shape)


def _grown(box: Box, pad: int, shape: tuple[int, ...]) -> Box:
    first, second = (
        slice(max(0, part.start - pad), min(length, part.stop + pad))
        for part, length in zip(box, shape, strict=True)
    )
    return first, second


def filled(image: Image, mask: Bools) -> Image:
    """`image` with `mask` filled by its smoothed surround, each pixel from the nearest outside.

    Texture and edges inside are gone, the grey level goes on; what is outside stays as it is.
    """
    if not mask.any():
        return image.copy()
    side = max(3, round(FRAME * min(image.shape)) | 1)
    window, near, share = _nearest(mask.tobytes(), mask.shape, side)
    level = ndimage.uniform_filter(image[window] * ~mask[window], side, mode="nearest")
    out = image.copy()
    out[mask] = level.ravel()[near] / share
    return out


@lru_cache(maxsize=8)  # the frame's is asked for every image
def _nearest(mask: bytes, shape: tuple[int, int], side: int) -> tuple[Box, Ints, Image]:
    """The window that matters to what is inside a mask; for each pixel inside, the place in that
    window of the nearest one outside, and how much of the square of `side` around that one lies
    outside."""
    inside = np.frombuffer(mask, dtype=bool).reshape(shape)
    # What is nearest lies in the box around the mask, or beside it; its square goes further.
    around = _around(inside)
    box, window = _grown(around, 1, shape), _grown(around, 1 + side // 2, shape)
    rows, columns = ndimage.distance_transform_edt(
        inside[box], return_distances=False, return_indices=True
    )[:, inside[box]]
    rows += box[0].start - window[0].start
    columns += box[1].start - window[1].start
    share = ndimage.uniform_filter((~inside[window]).astype(np.float32), side, mode="nearest")
    near = rows.astype(np.int64) * share.shape[1] + columns
    return window, near, np.maximum(share.ravel()[near], 1e-6)


def _around(mask: Bools) -> Box:
    """The smallest box with all of a mask in it."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def boxed(boxes: list[Box], shape: tuple[int, ...]) -> Bools:
    """(H, W): inside any of the boxes."""
    mask = np.zeros(shape, dtype=bool)
    for box in boxes:
        mask[box] = True
    return mask


def moved_inside(mask: Bools, rng: np.random.Generator) -> Bools:
    """The same shape as `mask`, moved to a drawn place in the middle that does not touch it.

    Where no such place is found in 50 draws, the mask turned by half, which mirrors its place.
    """
    height, width = mask.shape
    rows, columns = np.divmod(np.flatnonzero(mask), width)
    high, wide = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    top, left = round(EDGE * height), round(EDGE * width)
    low, right = max(top + 1, height - top - high), max(left + 1, width - left - wide)
    for _ in range(50):
        down, across = int(rng.integers(top, low)), int(rng.integers(left, right))
        new_rows, new_columns = rows - rows.min() + down, columns - columns.min() + across
        fits = new_rows.max() < height and new_columns.max() < width
        if fits and not mask[new_rows, new_columns].any():
            out = np.zeros_like(mask)
            out[new_rows, new_columns] = True
            return out
    return np.asarray(mask[::-1, ::-1])

"""Regions of the prepared input where no lesion is expected, and how they are filled.

`border`: the outer tenth on each side. `marker`: what looks like a lead letter near an edge. Each
has a control of the same area elsewhere, since filling is itself a change of the image.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Image = npt.NDArray[np.float32]  # (H, W) in [0, 1]

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
    down, across = max(1, round(FRAME * height)), max(1, round(FRAME * width))
    mask = np.ones((height, width), dtype=bool)
    mask[down : height - down, across : width - across] = False
    return mask


@cache
def ring(height: int, width: int) -> Bools:
    """(H, W): the frame just inside the border, of the same area up to a line of pixels."""
    outer = border(height, width)
    wanted, best = int(outer.sum()), np.zeros_like(outer)
    for step in range(1, min(height, width) // 2):
        inside = ndimage.binary_dilation(outer, iterations=step, structure=np.ones((3, 3)))
        mask = inside & ~outer
        if abs(int(mask.sum()) - wanted) < abs(int(best.sum()) - wanted):
            best = mask
    return best


def markers(image: Image) -> list[tuple[slice, slice]]:
    """Boxes of what looks like a side marker, brightest first; see RULE."""
    side, found = min(image.shape), []
    for thickness in STROKES:
        thin = max(3, round(thickness * side))
        rise = image - ndimage.grey_opening(image, size=(thin, thin))
        parts, _ = ndimage.label(rise > CONTRAST, structure=np.ones((3, 3)))
        for place, box in enumerate(ndimage.find_objects(parts), start=1):
            inside = parts[box] == place
            fits = _sized(box, inside, image.shape)
            fits = fits and (thickness < LARGEST or _plain(image[box], inside))
            contrast = _contrast(image, box, inside) if fits else None
            if contrast is not None:
                found.append((contrast, _padded(box, image.shape)))
    kept: list[tuple[slice, slice]] = []
    for _, box in sorted(found, key=lambda one: (-one[0], one[1][0].start, one[1][1].start)):
        if len(kept) < MOST_MARKERS and not any(_meet(box, other) for other in kept):
            kept.append(box)
    return kept


def _meet(one: tuple[slice, slice], other: tuple[slice, slice]) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def _sized(box: tuple[slice, slice], inside: Bools, shape: tuple[int, ...]) -> bool:
    side = min(shape)
    high, wide = inside.shape
    fits = SMALLEST * side <= high <= LARGEST * side and 0.01 * side <= wide <= LARGEST * side
    if not (fits and high >= 4 and wide >= 2):
        return False
    middles = [(part.start + part.stop) / 2 for part in box]
    nearest = min(min(m, length - m) for m, length in zip(middles, shape, strict=True))
    return bool(nearest <= EDGE * side and inside.mean() >= FILLED)


def _plain(patch: Image, inside: Bools) -> bool:
    """Whether a thick thing is one solid piece of one grey level."""
    low, high = np.quantile(patch[inside], (0.25, 0.75))
    return bool(inside.mean() >= SOLID and high - low <= LEVEL)


def _contrast(image: Image, box: tuple[slice, slice], inside: Bools) -> float | None:
    """How far a thing rises above its surround, or None where that is no even ground."""
    rim = 1 + max(2, round(0.02 * min(image.shape)))
    wide, near = _grown(box, rim, image.shape), _grown(box, 1, image.shape)
    around = np.ones(image[wide].shape, dtype=bool)
    hole = tuple(
        slice(n.start - w.start, n.stop - w.start) for n, w in zip(near, wide, strict=True)
    )
    around[hole] = False
    level = float(np.quantile(image[box][inside], 0.9))  # what lies on an edge is half as bright
    middle, high = np.quantile(image[wide][around], (0.5, BRIGHTER_THAN))
    stands_out = level - high >= CLEAR and level >= float(np.quantile(image, BRIGHT))
    return level - float(middle) if stands_out and level - middle >= CONTRAST else None


def _padded(box: tuple[slice, slice], shape: tuple[int, ...]) -> tuple[slice, slice]:
    return _grown(box, max(1, round(PAD * min(shape))), shape)


def _grown(box: tuple[slice, slice], pad: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    first, second = (
        slice(max(0, part.start - pad), min(length, part.stop + pad))
        for part, length in zip(box, shape, strict=True)
    )
    return first, second


def filled(image: Image, mask: Bools) -> Image:
    """`image` with `mask` filled by its smoothed surround, each pixel from the nearest outside.

    Texture and edges inside are gone, the grey level goes on; what is outside stays as it is.
    """
    side = max(3, round(FRAME * min(image.shape)) | 1)
    rows, columns, share = _nearest(mask.tobytes(), mask.shape, side)
    level = ndimage.uniform_filter(image * ~mask, side, mode="nearest")
    out = image.copy()
    out[mask] = level[rows, columns] / share
    return out


@lru_cache(maxsize=8)  # the frame's is asked for every image
def _nearest(mask: bytes, shape: tuple[int, int], side: int) -> tuple[Ints, Ints, Image]:
    """Row and column of the nearest pixel outside, for each pixel inside a mask, and how much of
    the square of `side` around that one lies outside."""
    inside = np.frombuffer(mask, dtype=bool).reshape(shape)
    # What is nearest lies in the box around the mask, or beside it.
    rows, columns = np.zeros((2, *shape), np.int64)
    for around in ndimage.find_objects(inside.astype(np.int8)):
        box = _grown(around, 1, shape)
        rows[box], columns[box] = (
            ndimage.distance_transform_edt(inside[box], return_distances=False, return_indices=True)
            + np.array([part.start for part in box])[:, None, None]
        )
    share = ndimage.uniform_filter((~inside).astype(np.float32), side, mode="nearest")
    rows, columns = rows[inside], columns[inside]
    return rows, columns, np.maximum(share[rows, columns], 1e-6)


def boxed(boxes: list[tuple[slice, slice]], shape: tuple[int, ...]) -> Bools:
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
    rows, columns = np.nonzero(mask)
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

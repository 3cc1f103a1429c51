"""How well two small pictures fit when one is laid over the other."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
STEPS = 12
MOST = 0.12  # of the side: how far a corner may move
INSIDE = 0.7  # of the area that must overlap


def aligned(one: Array, other: Array) -> float:
    """Correlation of the edges of two square pictures (S, S) after the affine map of `other`
    that makes their grey levels fit best; that of the pictures as they lie where it is no better.

    So a copy that was cropped or turned a little still fits, which another exposure of the same
    pose does not: its outlines do, its fine structure does not. 0 where nothing has edges.
    Source of the fit: Lucas & Kanade 1981 on normalised grey levels (Evangelidis & Psarakis 2008,
    doi:10.1109/TPAMI.2008.113); of the edges' compression: a signed square root, which keeps one
    strong border (a collimator, metal) from speaking for all.
    """
    before = _edges_alike(one, other, np.ones(one.shape, bool))
    moved, inside = _fitted(one.astype(np.float64), other.astype(np.float64))
    if inside.mean() < INSIDE:
        return before
    return max(before, _edges_alike(one, moved, inside))


def _fitted(one: Array, other: Array) -> tuple[Array, Bools]:
    """`other` laid over `one`, and (S, S) where it has pixels. Identity where the fit runs away."""
    side = len(one)
    grid, base, blur = _fixed(side)
    smooth_one, smooth = (blur @ image @ blur.T for image in (one, other))
    theta = np.zeros((2, 3))
    for _ in range(STEPS):
        places, inside = _places(grid, theta @ base, side)
        step = _step(smooth_one, _sampled(smooth, places), inside, base)
        theta = theta + step
        if np.abs(theta).sum(axis=1).max() > MOST * side:
            return other, np.ones(one.shape, bool)
        if np.abs(step).max() < 0.01:
            break
    places, inside = _places(grid, theta @ base, side)
    # Cubic, which blurs fine structure least.
    moved = ndimage.map_coordinates(other, places, order=3, mode="nearest")
    return moved.reshape(side, side), inside


@cache
def _fixed(side: int) -> tuple[Array, Array, Array]:
    """Places of the pixels from the middle (2, S²), the same as an affine map's base (3, S²), and
    a Gaussian blur of one pixel as a matrix (S, S)."""
    grid = np.indices((side, side), dtype=np.float64).reshape(2, -1) - (side - 1) / 2
    base = np.vstack([grid, np.full((1, side * side), side / 2)]) / (side / 2)
    return grid, base, ndimage.gaussian_filter1d(np.eye(side), 1.0, axis=0)


def _places(grid: Array, shift: Array, side: int) -> tuple[Array, Bools]:
    """Where each pixel comes from (2, S²), and which of them (S, S) lie inside."""
    places = grid + shift + (side - 1) / 2
    inside = ((places >= 0) & (places <= side - 1)).all(axis=0)
    return places, inside.reshape(side, side)


def _sampled(image: Array, places: Array) -> Array:
    """Bilinear, the nearest pixel outside: map_coordinates' order 1, several times faster."""
    side = len(image)
    held = np.clip(places, 0, side - 1)
    first = np.minimum(held.astype(np.intp), side - 2)
    down, right = held - first
    flat, corner = image.ravel(), first[0] * side + first[1]
    above = flat[corner] * (1 - right) + flat[corner + 1] * right
    below = flat[corner + side] * (1 - right) + flat[corner + side + 1] * right
    return np.asarray(above * (1 - down) + below * down).reshape(image.shape)


def _step(one: Array, moved: Array, inside: Bools, base: Array) -> Array:
    """(2, 3) Gauss-Newton step of the affine map, grey levels free in scale and offset."""
    down, across = (slope.ravel() for slope in _slopes(moved))
    # The last two rows let brightness and contrast follow, so that they pull nothing askew.
    design = np.empty((8, moved.size))
    np.multiply(base, down, out=design[:3])
    np.multiply(base, across, out=design[3:6])
    design[6], design[7] = moved.ravel(), 1.0
    design *= inside.ravel()
    normal = design @ design.T
    normal[np.diag_indices(len(normal))] *= 1 + 1e-6
    left = design @ (one - moved).ravel()
    try:
        found = np.linalg.solve(normal + 1e-12 * np.eye(len(normal)), left)
    except np.linalg.LinAlgError:
        return np.zeros((2, 3))
    return np.asarray(found[:6].reshape(2, 3))


def _slopes(image: Array) -> tuple[Array, Array]:
    """Down and across, as np.gradient gives them."""
    found = np.empty((2, *image.shape))
    for slope, values in ((found[0], image), (found[1].T, image.T)):
        np.subtract(values[2:], values[:-2], out=slope[1:-1])
        slope[1:-1] /= 2
        slope[0], slope[-1] = values[1] - values[0], values[-1] - values[-2]
    return found[0], found[1]


def _edges_alike(one: Array, other: Array, inside: Bools) -> float:
    mask = inside if inside.all() else ndimage.binary_erosion(inside, border_value=1)
    first, second = _edges(one, mask), _edges(other, mask)
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norm if norm > 0 else 0.0


def _edges(image: Array, mask: Bools) -> Array:
    both = np.concatenate([slope[mask] for slope in _slopes(image.astype(np.float64))])
    return np.asarray(np.sign(both) * np.sqrt(np.abs(both)))

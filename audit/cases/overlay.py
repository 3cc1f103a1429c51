"""How well two small pictures fit when one is laid over the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.floating]
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


def _fitted(one: Array, other: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """`other` laid over `one`, and (S, S) where it has pixels. Identity where the fit runs away."""
    side = len(one)
    smooth_one, smooth = (ndimage.gaussian_filter(image, 1.0) for image in (one, other))
    grid = np.indices((side, side), dtype=np.float64).reshape(2, -1) - (side - 1) / 2
    base = np.vstack([grid, np.full((1, side * side), side / 2)]) / (side / 2)  # (3, S²)
    theta = np.zeros((2, 3))
    for _ in range(STEPS):
        moved, inside = _moved(smooth, grid, theta @ base, side)
        step = _step(smooth_one, moved, inside, base)
        theta = theta + step
        if np.abs(theta).sum(axis=1).max() > MOST * side:
            return other, np.ones(one.shape, bool)
        if np.abs(step).max() < 0.01:
            break
    return _moved(other, grid, theta @ base, side, order=3)  # which blurs fine structure least


def _moved(
    image: Array, grid: Array, shift: Array, side: int, order: int = 1
) -> tuple[Array, npt.NDArray[np.bool_]]:
    places = grid + shift + (side - 1) / 2
    inside = ((places >= 0) & (places <= side - 1)).all(axis=0).reshape(side, side)
    sampled = ndimage.map_coordinates(image, places, order=order, mode="nearest")
    return sampled.reshape(side, side), inside


def _step(one: Array, moved: Array, inside: npt.NDArray[np.bool_], base: Array) -> Array:
    """(2, 3) Gauss-Newton step of the affine map, grey levels free in scale and offset."""
    mask = inside.ravel()
    down, across = (np.asarray(slope).ravel()[mask] for slope in np.gradient(moved))
    b = base[:, mask]
    # The last two columns let brightness and contrast follow, so that they pull nothing askew.
    now = moved.ravel()[mask]
    design = np.vstack([down * b, across * b, now, np.ones(len(now))]).T
    left = one.ravel()[mask] - now
    normal = design.T @ design
    normal[np.diag_indices(len(normal))] *= 1 + 1e-6
    try:
        found = np.linalg.solve(normal + 1e-12 * np.eye(len(normal)), design.T @ left)
    except np.linalg.LinAlgError:
        return np.zeros((2, 3))
    return np.asarray(found[:6].reshape(2, 3))


def _edges_alike(one: Array, other: Array, inside: npt.NDArray[np.bool_]) -> float:
    mask = ndimage.binary_erosion(inside, border_value=1)
    first, second = _edges(one, mask), _edges(other, mask)
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norm if norm > 0 else 0.0


def _edges(image: Array, mask: npt.NDArray[np.bool_]) -> Array:
    slopes = np.gradient(image.astype(np.float64))
    both = np.concatenate([np.asarray(slope)[mask] for slope in slopes])
    return np.asarray(np.sign(both) * np.sqrt(np.abs(both)))

"""Implants as rods seen from the front: where they lie and what they take from the rays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

Rod = tuple[float, float, float, float, float, float]  # x, y, radius at one end and the other

# In units of the implant's own; only proportions and angles matter.
SHAPES: dict[str, tuple[Rod, ...]] = {
    "screw": ((0, 0, 0.75, 0, 0.5, 0.75), (0, 0.5, 0.4, 0, 7, 0.25)),
    "nail": ((0, 0, 0.55, 0, 9, 0.45), (-0.9, 7.6, 0.18, 0.9, 7.6, 0.18)),
    "plate": (
        (0, 0, 0.3, 0, 6, 0.3),
        (0, 0.4, 0.4, -3.2, -2.8, 0.4),
        (0, 2.2, 0.18, -1.7, 2.2, 0.18),
        (0, 3.7, 0.18, -1.7, 3.7, 0.18),
        (0, 5.2, 0.18, -1.7, 5.2, 0.18),
    ),
    "prosthesis": (
        (0, 0, 1.0, 0, 0, 1.0),
        (0, 0, 0.35, 1.3, 1.3, 0.45),
        (1.3, 1.3, 0.6, 1.6, 6.5, 0.2),
    ),
}


@dataclass(frozen=True)
class Placement:
    """What is drawn of an implant: its shape, turn in radians, mirroring, place in [0, 1]²."""

    shape: str
    turn: float
    mirrored: bool
    place: tuple[float, float]


def rods(placement: Placement, scale: float, height: int, width: int) -> np.ndarray:
    """The rods of an implant in pixels, (n, 6): x, y and radius at one end and the other.

    Wholly within the image where it fits; in the middle of an axis that is too short for it.
    """
    found = np.array(SHAPES[placement.shape], dtype=np.float64) * scale
    if placement.mirrored:
        found[:, [0, 3]] *= -1
    cosine, sine = np.cos(placement.turn), np.sin(placement.turn)
    for at in (0, 3):
        x, y = found[:, at].copy(), found[:, at + 1].copy()
        found[:, at], found[:, at + 1] = cosine * x - sine * y, sine * x + cosine * y
    for at, length, place in ((0, width, placement.place[1]), (1, height, placement.place[0])):
        low, high = _extent(found, at)
        room = length - (high - low)
        found[:, [at, at + 3]] += (place * room if room > 0 else room / 2) - low
    return found


def shadow(
    rod: np.ndarray, height: int, width: int, attenuation: float
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """What a rod takes from the rays: (rows, columns) of pixels, and -ln of what is left there."""
    rows, columns = _near(rod, height, width)
    half = np.float32(0.5)
    x, y = columns.astype(np.float32) + half, rows.astype(np.float32) + half
    distance, radius = _to_axis(rod.astype(np.float32), x, y)
    inner, outer = np.maximum(distance - half, -radius), np.minimum(distance + half, radius)
    covered = np.maximum(outer - inner, 0)  # of the pixel, across the rod
    middle = (inner + outer) / (2 * radius)  # of what is covered
    chord = np.sqrt(np.clip(1 - middle * middle, 0, 1))
    left = 1 - covered * (1 - np.exp(-np.float32(attenuation) * chord))
    return (rows, columns), -np.log(np.maximum(left, np.float32(1e-12)))


def _near(rod: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels that a rod may touch: a strip along it, not its whole box."""
    ax, ay, ar, bx, by, br = rod
    if abs(bx - ax) > abs(by - ay):
        columns, rows = _near(np.array([ay, ax, ar, by, bx, br]), width, height)
        return rows, columns
    reach = max(ar, br) + 1.0
    low, high = min(ay, by), max(ay, by)
    first, last = (int(np.clip(at, 0, height)) for at in (low - reach, high + reach + 1))
    row = np.arange(first, last)
    slope = (bx - ax) / (by - ay) if by != ay else 0.0  # at most 1, so sqrt(2) reach on each side
    middle = ax + slope * (np.clip(row + 0.5, low, high) - ay)
    left = np.floor(middle - np.sqrt(2) * reach).astype(np.int64)
    strip = left[:, None] + np.arange(int(np.ceil(2 * np.sqrt(2) * reach)) + 1)
    inside = (strip >= 0) & (strip < width)
    return np.broadcast_to(row[:, None], strip.shape)[inside], strip[inside]


def _to_axis(rod: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each point to the axis, and the rod's radius at the nearest place of it."""
    ax, ay, ar, bx, by, br = rod
    along_x, along_y = bx - ax, by - ay
    squared = max(along_x**2 + along_y**2, rod.dtype.type(1e-12))  # a disk has no axis
    part = np.clip(((x - ax) * along_x + (y - ay) * along_y) / squared, 0, 1)
    across_x, across_y = x - ax - part * along_x, y - ay - part * along_y
    return np.sqrt(across_x * across_x + across_y * across_y), ar + part * (br - ar)


@cache
def unit_area(shape: str) -> float:
    """Area of a shape in its own units: counted on a grid of 0.01."""
    step = 0.01
    found = np.array(SHAPES[shape], dtype=np.float64)
    x, y = (
        np.arange(low, high, step) + step / 2 for low, high in (_extent(found, a) for a in (0, 1))
    )
    inside = np.zeros((len(y), len(x)), dtype=bool)
    for rod in found:
        distance, radius = _to_axis(rod, x, y[:, None])
        inside |= distance <= radius
    return float(inside.sum() * step**2)


def _extent(found: np.ndarray, axis: int) -> tuple[float, float]:
    """From where to where rods reach along x (0) or y (1)."""
    ends, radii = found[:, [axis, axis + 3]], found[:, [2, 5]]
    return float((ends - radii).min()), float((ends + radii).max())

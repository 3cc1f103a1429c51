"""From stored values to grey levels in [0, 1], in DICOM's order. Pure arrays, no DICOM here.

Source: DICOM PS3.4 N.2 (pipeline), PS3.3 C.11.1 (modality), C.11.2 (VOI), C.7.5.1.1.2 (padding).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from audit.cases.case import Pixels
from audit.cases.image import Unreadable

Values = npt.NDArray[np.integer]
Kind = TypeVar("Kind", bound=np.generic)
BLOCK = 2**16  # pixels
MINMAX = "minimum to maximum"


@dataclass(frozen=True, slots=True)
class Lut:
    """A lookup table: `values` (N,) for inputs from `first` on, of `bits` bits each."""

    first: int
    values: npt.NDArray[np.uint16]
    bits: int

    def __call__(self, x: Values | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Modality or stored values (H, W) -> table values."""
        place = np.rint(np.asarray(x, np.float64)) - self.first
        index = np.clip(place, 0, len(self.values) - 1).astype(np.int64)
        found: npt.NDArray[np.float64] = self.values.astype(np.float64)[index]
        return found


@dataclass(frozen=True, slots=True)
class Window:
    """Centre and width, in modality units; `function` LINEAR, LINEAR_EXACT or SIGMOID."""

    center: float
    width: float
    function: str = "LINEAR"

    @property
    def usable(self) -> bool:
        least = 1.0 if self.function == "LINEAR" else 0.0
        known = self.function in ("LINEAR", "LINEAR_EXACT", "SIGMOID")
        return known and bool(np.isfinite([self.center, self.width]).all()) and self.width > least

    def __call__(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """PS3.3 C.11.2.1.2.1, C.11.2.1.3.2 and C.11.2.1.3.1, onto [0, 1]."""
        if self.function == "SIGMOID":
            steep = np.clip(-4 * (x - self.center) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(steep)))
        off, less = (0.5, 1.0) if self.function == "LINEAR" else (0.0, 0.0)
        return np.clip((x - (self.center - off)) / (self.width - less) + 0.5, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Presentation:
    """All that turns stored values into what a radiologist is shown.

    `padding`: inclusive range of stored values that are no image. `inverted`: low is white.
    """

    slope: float = 1.0
    intercept: float = 0.0
    modality: Lut | None = None
    padding: tuple[int, int] | None = None
    window: Window | None = None
    voi: Lut | None = None
    inverted: bool = False


def present(stored: Values, way: Presentation) -> tuple[Pixels, str]:
    """(H, W) stored values -> (H, W) float32 in [0, 1], bright is dense, and how it was mapped.

    Modality, padding, VOI, and polarity last and once; padding is black. Without a usable
    window the range of the unpadded pixels is spread. Raises Unreadable.
    """
    low, span = int(stored.min()), int(stored.max()) - int(stored.min()) + 1
    if span > stored.size:
        return _shown(stored, way)
    # A radiograph has millions of pixels and a few thousand grey levels: each of these once.
    there = np.zeros(span, dtype=bool)
    for rows in _blocks(stored):
        there[rows - low] = True
    levels = np.zeros(span, dtype=np.float32)
    levels[there], how = _shown(np.flatnonzero(there) + low, way)
    shown = np.empty(stored.shape, dtype=np.float32)
    for rows, out in zip(_blocks(stored), _blocks(shown), strict=True):
        np.take(levels, rows - low, out=out, mode="clip")  # "raise" would look at all twice
    return shown, how


def _blocks(image: npt.NDArray[Kind]) -> Iterator[npt.NDArray[Kind]]:
    """Views of so many rows that a processor's cache holds what is made of them."""
    rows = max(1, BLOCK // max(1, image.shape[1]))
    return (image[start : start + rows] for start in range(0, len(image), rows))


def _shown(stored: Values, way: Presentation) -> tuple[Pixels, str]:
    """`present` of any array of stored values that has all of the image's."""
    if not (np.isfinite([way.slope, way.intercept]).all() and way.slope > 0):
        raise Unreadable("rescale slope that is not positive")
    inside = np.ones(stored.shape, dtype=bool)
    if way.padding is not None:
        low, high = way.padding
        inside = (stored < low) | (stored > high)
        if not inside.any():
            raise Unreadable("nothing but padding")
    if way.modality is not None:
        values = way.modality(stored)
    else:
        values = stored.astype(np.float64) * way.slope + way.intercept
    shown, how = _voi(values, inside, way)
    if way.inverted:
        shown = 1.0 - shown
    shown[~inside] = 0.0
    return np.ascontiguousarray(shown, dtype=np.float32), how


def _voi(
    values: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_], way: Presentation
) -> tuple[npt.NDArray[np.float64], str]:
    if way.voi is not None:
        return way.voi(values) / (2**way.voi.bits - 1), "the image's own lookup table"
    if way.window is not None and way.window.usable:
        return way.window(values), "the image's own window"
    low, high = values[inside].min(), values[inside].max()
    how = f"{MINMAX} ({'no' if way.window is None else 'no usable'} window given)"
    if high <= low:
        return np.zeros_like(values), how
    return np.clip((values - low) / (high - low), 0.0, 1.0), how

"""Where a changed pixel reaches: per axis and layer, the stretch that may differ from clean.

The stretch is a function of the pixel's place alone, so it is tabulated over all places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
OUTSIDE = -(2**40)  # stays negative when an index of the other axis is added


@dataclass(frozen=True)
class Window:
    """One axis of a convolution or a pooling."""

    kernel: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Inputs from the first to the last that one output reads, less one."""
        return (self.kernel - 1) * self.dilation


POINT = Window()


@dataclass(frozen=True)
class Axis:
    """`low`, `high` (places,): first and last of `size` positions that may have changed."""

    size: int
    low: Places
    high: Places

    @cached_property
    def width(self) -> int:
        """Positions kept for every place of the pixel: the widest stretch there is."""
        return int((self.high - self.low).max()) + 1

    @cached_property
    def start(self) -> Places:
        """First kept position, such that all kept ones lie in the map."""
        return np.minimum(self.low, self.size - self.width)


def pixel(size: int) -> Axis:
    """The input itself: place p changes position p."""
    places = np.arange(size, dtype=np.int64)
    return Axis(size, places, places)


def through(source: Axis, window: Window, size: int) -> Axis:
    """What differs behind `window`, whose output has `size` positions.

    Output i reads inputs i·stride − padding + j·dilation, j < kernel. A stride that steps over
    the pixel leaves one position, which has not changed: a box is never empty.
    """
    low = -((window.reach - source.low - window.padding) // window.stride)  # rounded up
    high = (source.high + window.padding) // window.stride
    low = np.clip(low, 0, size - 1)
    return Axis(size, low, np.clip(high, low, size - 1))


def union(axes: Sequence[Axis]) -> Axis:
    """What differs where maps of one size are added or put side by side."""
    low = np.min([axis.low for axis in axes], axis=0)
    return Axis(axes[0].size, low, np.max([axis.high for axis in axes], axis=0))


def lookup(source: Axis, target: Axis, window: Window) -> tuple[Places, Places]:
    """Where each input of the kept outputs is found: in the kept stretch of `source`, in its map.

    Two tables (places, span) over the place of the pixel and the inputs they span, in order: index
    from the start of the stretch, and position in the map; OUTSIDE where it is in neither.
    """
    first = target.start * window.stride - window.padding
    position = first[:, None] + np.arange(0, span(target, window), step(window))
    within = position - source.start[:, None]
    kept = (within >= 0) & (within < source.width)
    inside = (position >= 0) & (position < source.size)
    return np.where(kept, within, OUTSIDE), np.where(inside, position, OUTSIDE)


def span(target: Axis, window: Window) -> int:
    """Inputs from the first to the last that the kept outputs read."""
    return (target.width - 1) * window.stride + window.reach + 1


def step(window: Window) -> int:
    """A kernel of one reads nothing between its strides."""
    return window.stride if window.kernel == 1 else 1

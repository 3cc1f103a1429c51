"""Batches for training: read ahead from stored pixels, augmented on the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Generator, Tensor

from audit.results import Preparation
from trainers.pixels.ahead import ahead
from trainers.pixels.augment import see
from trainers.pixels.cache import Kind, frame
from trainers.pixels.looks import Looks, gentle_looks, study_looks
from trainers.pixels.stored import Stored

Augmentation = Literal["study", "gentle", "none"]
WAITING = 2  # batches read before they are asked for


def kind_for(augmentation: Augmentation) -> Kind:
    """What training reads: pixels with room around the crop, or those validation sees."""
    return "roomy" if augmentation == "study" else "prepared"


@dataclass(frozen=True, slots=True)
class Ready:
    """Images of a batch as they were read, and how each is to be seen (None: as it is).

    `pixels` (N, C, H, W) on the CPU, smaller images padded; `sizes` (N, 2) their own.
    """

    rows: Tensor
    pixels: Tensor
    sizes: Tensor
    looks: Looks | None


@dataclass(frozen=True)
class Batches:
    """The training images of one split and how they are augmented."""

    stored: Stored
    way: Preparation
    augmentation: Augmentation
    flip: bool
    device: torch.device

    def ready(self, rows: Tensor, draw: Generator, part: slice = slice(None)) -> Ready:
        """Read a part of a batch; draws are made for all its rows, whoever has the rest."""
        mine = rows[part]
        pixels = self.stored.batch(mine.tolist())
        if self.device.type == "cuda":
            pixels = pixels.pin_memory()  # can be copied while the device computes
        looks = self._looks(rows, draw)
        sizes = self.stored.sizes[mine]
        return Ready(mine, pixels, sizes, None if looks is None else looks.of(part))

    def ahead(
        self, batches: Sequence[Tensor], draw: Generator, part: slice = slice(None)
    ) -> Iterator[Ready]:
        """`ready` of each, a thread being two batches ahead; it alone uses `draw` meanwhile."""
        return ahead(lambda rows: self.ready(rows, draw, part), batches, waiting=WAITING)

    def see(self, ready: Ready) -> Tensor:
        """What was read and drawn -> (N, C, H, W) float32 in [0, 1] on the device."""
        x = ready.pixels.to(self.device, non_blocking=True)
        if ready.looks is None:
            return x
        pad = self.augmentation == "study" and self.way.resize == "pad"
        height, width = self.way.height, self.way.width
        return see(x, ready.sizes, ready.looks, height, width, blank_outside=pad)

    def _looks(self, rows: Tensor, draw: Generator) -> Looks | None:
        if self.augmentation == "none":
            return None
        if self.augmentation == "gentle":
            return gentle_looks(len(rows), draw, flip=self.flip)
        frames = self._frames[rows]
        return study_looks(frames, self.way.height, self.way.width, draw, flip=self.flip)

    @cached_property
    def _frames(self) -> Tensor:
        """Height and width of every image resized so that the crop fits: (N, 2)."""
        sizes = self.stored.sizes.tolist()
        return torch.tensor([frame(height, width, self.way) for height, width in sizes])

"""Batches for training: read ahead from stored pixels, augmented on the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
class Batches:
    """The training images of one split and how they are augmented."""

    stored: Stored
    way: Preparation
    augmentation: Augmentation
    flip: bool
    device: torch.device

    def read(self, rows: Tensor) -> Tensor:
        """The images of these rows on the CPU, ready to be copied to the device."""
        found = self.stored.batch(rows.tolist())
        return found.pin_memory() if self.device.type == "cuda" else found

    def reads(self, batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """`read` of each, a thread being two batches ahead."""
        return ahead(self.read, batches, waiting=WAITING)

    def looks(self, rows: Tensor, draw: Generator) -> Looks | None:
        """What is drawn for these rows; None when nothing is."""
        if self.augmentation == "none":
            return None
        if self.augmentation == "gentle":
            return gentle_looks(len(rows), draw, flip=self.flip)
        sizes = self.stored.sizes(rows.tolist()).tolist()
        frames = torch.tensor([frame(height, width, self.way) for height, width in sizes])
        return study_looks(frames, self.way.height, self.way.width, draw, flip=self.flip)

    def see(self, pixels: Tensor, rows: Tensor, looks: Looks | None) -> Tensor:
        """What was read and drawn -> (N, C, H, W) float32 in [0, 1] on the device."""
        x = pixels.to(self.device, non_blocking=True)
        if looks is None:
            return x
        sizes = self.stored.sizes(rows.tolist())
        pad = self.augmentation == "study" and self.way.resize == "pad"
        return see(x, sizes, looks, self.way.height, self.way.width, blank_outside=pad)

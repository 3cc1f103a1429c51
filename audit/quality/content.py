"""Where a picture holds anything: inside its empty border of padding or collimation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FLAT = 1.5 / 255  # a row of the border varies by less: rounding, never anatomy
MOST_BORDER = 0.98  # with less than this left, there is no content to speak of


@dataclass(frozen=True)
class Content:
    """`top`, `bottom`, `left`, `right` (N,): first and last row and column with content."""

    top: Tensor
    bottom: Tensor
    left: Tensor
    right: Tensor
    height: int
    width: int
    border: Tensor

    def inside(self, margin: int) -> Tensor:
        """(N, 1, H, W) float32: 1 in content at least `margin` pixels from its own edge, else 0."""
        rows = torch.arange(self.height, device=self.top.device)
        columns = torch.arange(self.width, device=self.top.device)
        down = (rows >= self.top[:, None] + margin) & (rows <= self.bottom[:, None] - margin)
        across = (columns >= self.left[:, None] + margin) & (
            columns <= self.right[:, None] - margin
        )
        return down.float()[:, None, :, None] * across.float()[:, None, None, :]

    def count(self, margin: int) -> Tensor:
        """(N,) float64: the pixels that are `inside`."""
        high, wide = self.bottom - self.top + 1, self.right - self.left + 1
        return ((high - 2 * margin).clamp_min(0) * (wide - 2 * margin).clamp_min(0)).double()


def content_of(grey: Tensor) -> Content:
    """(N, 1, H, W) -> the box inside the rows and columns at the edges that hold nothing.

    A picture that is empty throughout is all border, and its content is the whole of it.
    """
    image = grey[:, 0]
    height, width = image.shape[-2:]
    top, bottom = _ends(image.amax(2) - image.amin(2) > FLAT)
    left, right = _ends(image.amax(1) - image.amin(1) > FLAT)
    area = (bottom - top + 1).double() * (right - left + 1).double()
    border = 1 - area / (height * width)
    empty = (bottom < top) | (right < left) | (border > MOST_BORDER)
    zero = torch.zeros_like(top)
    return Content(
        top=torch.where(empty, zero, top),
        bottom=torch.where(empty, zero + height - 1, bottom),
        left=torch.where(empty, zero, left),
        right=torch.where(empty, zero + width - 1, right),
        height=height,
        width=width,
        border=torch.where(empty, torch.ones_like(border), border),
    )


def _ends(alive: Tensor) -> tuple[Tensor, Tensor]:
    """(N, L) -> first and last true place of each row; last before first where there is none."""
    length = alive.shape[1]
    first = alive.int().argmax(1)
    last = length - 1 - alive.flip(1).int().argmax(1)
    none = ~alive.any(1)
    return torch.where(none, torch.ones_like(first), first), torch.where(
        none, torch.zeros_like(last), last
    )

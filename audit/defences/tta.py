"""Test-time augmentation: the average answer over a few fixed views of each image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.defences.averaging import average
from audit.defences.registry import defence
from audit.defences.telling import defended
from audit.stresses.severities import between
from audit.stresses.warp import warp, whole_pixels


@dataclass(frozen=True, slots=True)
class View:
    """One view: counter-clockwise `angle` in degrees, shifts as fractions of width and height."""

    angle: float = 0.0
    dx: float = 0.0
    dy: float = 0.0
    scale: float = 1.0
    flip: bool = False

    def __str__(self) -> str:
        parts = [
            f"rotated {self.angle:+g}°" if self.angle else "",
            f"shifted {self.dx:+.0%} right" if self.dx else "",
            f"shifted {self.dy:+.0%} down" if self.dy else "",
            f"scaled ×{self.scale:g}" if self.scale != 1 else "",
            "flipped left to right" if self.flip else "",
        ]
        return ", ".join(part for part in parts if part) or "as given"


def views(
    *, angle: float = 5.0, shift: float = 0.03, scale: float = 1.05, flip: bool = False
) -> tuple[View, ...]:
    """The views of `tta` in order; the first is the image as given. A zero leaves its pair out."""
    found = [View()]
    if angle:
        found += [View(angle=-angle), View(angle=angle)]
    if shift:
        found += [View(dx=-shift), View(dx=shift), View(dy=-shift), View(dy=shift)]
    if scale != 1:
        found += [View(scale=scale)]
    if flip:
        found += [View(flip=True)]
    return tuple(found)


def _count(params: dict[str, Any]) -> float:
    return float(len(views(**params)))


@defence("tta", cost=_count)
def tta(
    classifier: Classifier,
    *,
    angle: float = 5.0,
    shift: float = 0.03,
    scale: float = 1.05,
    flip: bool = False,
) -> Classifier:
    """Averages softmax over fixed `views` and answers with the logarithm of the average.

    Differentiable, so attacks go through all views; nothing is random; a grey image is seen
    grey. Horizontal flip is off by default because it swaps left and right hip. The views are
    listed in the notes of the returned classifier's description. Raises HipauditError for an
    `angle` outside ±180 degrees, a `shift` outside ±0.99, a `scale` outside 0.1 to 10.
    """
    between(-180.0, 180.0, angle=angle)
    between(-0.99, 0.99, shift=shift)
    between(0.1, 10.0, scale=scale)
    chosen = views(angle=angle, shift=shift, scale=scale, flip=flip)

    def forward(x: Tensor) -> Tensor:
        return average(classifier, (seen(x, view) for view in chosen))

    text = f"Test-time augmentation averages {len(chosen)} views: {'; '.join(map(str, chosen))}."
    return defended(classifier, forward, "tta.views", text)


def seen(x: Tensor, view: View) -> Tensor:
    """(N, C, H, W) as a view shows it: bilinear, black from outside; the first view is x itself."""
    if view.flip:
        x = x.flip(-1)
    if view.scale != 1:
        x = _scaled(x, view.scale)
    if not (view.angle or view.dx or view.dy):
        return x
    n, right = len(x), whole_pixels(view.dx, x.shape[-1])
    down = whole_pixels(view.dy, x.shape[-2])
    return warp(x, [view.angle] * n, [right] * n, [down] * n)


def _scaled(x: Tensor, scale: float) -> Tensor:
    """Content enlarged about the centre."""
    grid = _zoomed(scale, (x.shape[-2], x.shape[-1]), x.dtype, x.device)
    grid = grid.expand(len(x), -1, -1, -1)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


@lru_cache(maxsize=4)
def _zoomed(
    scale: float, size: tuple[int, int], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Where each pixel comes from, for grid_sample (1, H, W, 2); not to be written into."""
    zoom = torch.tensor([[[1 / scale, 0, 0], [0, 1 / scale, 0]]], dtype=dtype, device=device)
    return F.affine_grid(zoom, [1, 1, *size], align_corners=False)

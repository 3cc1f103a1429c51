"""Augmentation on the device: one bilinear sampling with reflection, then light in logit space.

Source: fastai 1.0.52, as in trainers/pixels/looks.py, where everything random is drawn.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from trainers.pixels.looks import Looks, gentle_looks, study_looks


def augment(x: Tensor, draw: Generator, *, flip: bool = True) -> Tensor:
    """(N, C, H, W) in [0, 1] -> the same, warped, rotated, zoomed, flipped and relit."""
    n, _, height, width = x.shape
    frames = torch.tensor([height, width]).expand(n, 2)
    return see(x, None, study_looks(frames, height, width, draw, flip=flip), height, width)


def nudge(x: Tensor, draw: Generator, *, flip: bool = True) -> Tensor:
    """(N, C, H, W) -> the same, shifted by up to 4% with reflection, half of them flipped."""
    return see(x, None, gentle_looks(len(x), draw, flip=flip), *x.shape[-2:])


def see(
    x: Tensor,
    sizes: Tensor | None,
    looks: Looks,
    height: int,
    width: int,
    *,
    blank_outside: bool = False,
) -> Tensor:
    """Images (N, C, H, W) as `looks` says, (N, C, height, width) float32, on the device of `x`.

    `x`: float in [0, 1], or uint8. `sizes` (N, 2): height and width of each image where it is
    smaller than the batch (the rest, right and below, is never seen); None when all fill it.
    `blank_outside`: zero where the output lies outside of the frame, as padding leaves it.
    """
    pixels = x.float() / 255 if x.dtype == torch.uint8 else x.float()
    out = sample(pixels, sizes, looks.matrix.to(x.device), height, width)
    if looks.shift is not None and looks.factor is not None:
        out = relight(out, looks.shift.to(x.device), looks.factor.to(x.device))
    if blank_outside:
        at = _points(height, width, x.device) @ looks.crop.to(x.device).transpose(1, 2)
        inside = (at[..., :2].abs() <= 1).all(-1).view(len(x), 1, height, width)
        out = out * inside
    return out


def sample(x: Tensor, sizes: Tensor | None, matrix: Tensor, height: int, width: int) -> Tensor:
    """One bilinear look-up at matrix · p, reflected at the borders of each image.

    x (N, C, H, W) float, matrix (N, 3, 3) -> (N, C, height, width).
    """
    at = _points(height, width, x.device) @ matrix.transpose(1, 2)  # (N, height · width, 3)
    at = (at[..., :2] / at[..., 2:]).view(len(x), height, width, 2)
    if sizes is None or bool((sizes == torch.tensor(x.shape[-2:])).all()):
        return F.grid_sample(x, at, mode="bilinear", padding_mode="reflection", align_corners=False)
    own = sizes.flip(1).to(x.device, x.dtype)[:, None, None]  # (N, 1, 1, 2): width, height
    whole = torch.tensor(x.shape[-1:-3:-1], device=x.device, dtype=x.dtype)
    pixel = _reflected((at + 1) / 2 * own, own) - 0.5
    pixel = pixel.clamp(min=0).minimum(own - 1)
    at = (pixel * 2 + 1) / whole - 1
    return F.grid_sample(x, at, mode="bilinear", padding_mode="border", align_corners=False)


def relight(x: Tensor, shift: Tensor, factor: Tensor) -> Tensor:
    """sigmoid((logit(x) + shift) · factor) with x clamped to [1e-7, 1 - 1e-7]: (N, C, H, W)."""
    z = torch.logit(x, eps=1e-7)
    return torch.sigmoid((z + shift[:, None, None, None]) * factor[:, None, None, None])


def _reflected(at: Tensor, length: Tensor) -> Tensor:
    """Coordinates folded back into [0, length] at both ends."""
    folded = torch.remainder(at, 2 * length)
    return torch.minimum(folded, 2 * length - folded)


def _points(height: int, width: int, device: torch.device) -> Tensor:
    """(1, height · width, 3): the middles of the output's pixels, homogeneous."""
    ys = (torch.arange(height, device=device) * 2 + 1) / height - 1
    xs = (torch.arange(width, device=device) * 2 + 1) / width - 1
    grid = torch.stack(
        [
            xs.expand(height, width),
            ys[:, None].expand(height, width),
            torch.ones(height, width, device=device),
        ],
        dim=-1,
    )
    return grid.view(1, -1, 3)

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
    out = sample(x.float(), sizes, looks.matrix.to(x.device), height, width)
    if x.dtype == torch.uint8:
        out = out / 255  # the output has fewer pixels than the input
    if looks.shift is not None and looks.factor is not None:
        out = relight(out, looks.shift.to(x.device), looks.factor.to(x.device))
    if blank_outside:
        inside = (_points(looks.crop.to(x.device), height, width).abs() <= 1).all(-1)
        out = out * inside[:, None]
    return out


def sample(x: Tensor, sizes: Tensor | None, matrix: Tensor, height: int, width: int) -> Tensor:
    """One bilinear look-up at matrix · p, reflected at the borders of each image.

    x (N, C, H, W) float, matrix (N, 3, 3) -> (N, C, height, width).
    """
    at = _points(matrix, height, width)
    if sizes is None or bool((sizes == torch.tensor(x.shape[-2:])).all()):
        return F.grid_sample(x, at, mode="bilinear", padding_mode="reflection", align_corners=False)
    own = sizes.flip(1).to(x.device, x.dtype)[:, None, None]  # (N, 1, 1, 2): width, height
    whole = torch.tensor(x.shape[-1:-3:-1], device=x.device, dtype=x.dtype)
    # In place: a new array for each of these costs more than the arithmetic.
    at.add_(1).remainder_(4).sub_(2).abs_().neg_().add_(2)  # folded into [0, 2]: reflection
    at.mul_(own).sub_(1).clamp_(min=0)  # twice the pixel's number, not before the first
    torch.minimum(at, 2 * own - 2, out=at)  # nor behind the last
    at.add_(1).div_(whole).sub_(1)
    return F.grid_sample(x, at, mode="bilinear", padding_mode="border", align_corners=False)


def relight(x: Tensor, shift: Tensor, factor: Tensor) -> Tensor:
    """sigmoid((logit(x) + shift) · factor) with x clamped to [1e-7, 1 - 1e-7]: (N, C, H, W)."""
    z = torch.logit(x, eps=1e-7)
    return torch.sigmoid((z + shift[:, None, None, None]) * factor[:, None, None, None])


def _points(matrix: Tensor, height: int, width: int) -> Tensor:
    """matrix (N, 3, 3) · the middles of the output's pixels: (N, height, width, 2) as (x, y)."""
    ys = ((torch.arange(height, device=matrix.device) * 2 + 1) / height - 1)[None, :, None]
    xs = ((torch.arange(width, device=matrix.device) * 2 + 1) / width - 1)[None, None]
    m = matrix[..., None, None]  # a row and a column: nine multiplications per line, not per pixel
    depth = (m[:, 2, 0] * xs + m[:, 2, 2]) + m[:, 2, 1] * ys
    at = torch.empty(len(matrix), height, width, 2, device=matrix.device)
    for axis in (0, 1):
        line = m[:, axis, 0] * xs + m[:, axis, 2]  # (N, 1, width)
        torch.div(line + m[:, axis, 1] * ys, depth, out=at[..., axis])
    return at

"""A differentiable crop, and the way back from the crop to the frame."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def crop(x: Tensor, centre: Tensor, side: Tensor, size: int, samples: int = 1) -> Tensor:
    """Square windows of x (N, C, H, W) as (N, C, size, size), bilinear; black beyond the frame.

    `centre` (N, 2): x and y as shares of width and height. `side` (N,): share of the shorter
    side. `samples` per output pixel and axis are averaged: enough of them (`samples_for`) and
    a window larger than the output does not alias. Differentiable in all three tensors.
    Source of the sampling: Jaderberg et al. 2015, arXiv:1506.02025.
    """
    height, width = x.shape[-2:]
    step = torch.arange(size * samples, dtype=x.dtype, device=x.device)
    offset = (step + 0.5) / (size * samples) - 0.5  # (S,) in (-1/2, 1/2)
    reach = side * min(height, width)  # (N,) pixels
    across = centre[:, :1] + offset * (reach / width)[:, None]  # (N, S)
    down = centre[:, 1:] + offset * (reach / height)[:, None]
    n, s = across.shape
    grid = torch.stack(
        [across[:, None].expand(n, s, s), down[:, :, None].expand(n, s, s)], dim=-1
    )  # (N, S, S, 2) in shares of the frame
    seen = F.grid_sample(
        x, 2 * grid - 1, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return F.avg_pool2d(seen, samples) if samples > 1 else seen


def samples_for(largest: float, height: int, width: int, size: int) -> int:
    """Samples per output pixel and axis so that no pixel of the largest window is passed over.

    >>> samples_for(0.4, 1024, 1024, 224), samples_for(0.2, 1024, 1024, 224)
    (2, 1)
    """
    return max(1, math.ceil(largest * min(height, width) / size))


def in_frame(heat: Tensor, centre: Tensor, side: Tensor, height: int, width: int) -> Tensor:
    """A map (h, w) of the crop put back where it was taken: (height, width), zero elsewhere.

    `centre` (2,) and `side` () as in `crop`.
    """
    reach = side * min(height, width)
    down = (torch.arange(height, device=heat.device) + 0.5) / height
    across = (torch.arange(width, device=heat.device) + 0.5) / width
    u = (across - centre[0]) * width / reach * 2  # (W,) -1 and 1 are the window's edges
    v = (down - centre[1]) * height / reach * 2
    grid = torch.stack([u.expand(height, width), v[:, None].expand(height, width)], dim=-1)
    back = F.grid_sample(
        heat[None, None], grid[None].to(heat.dtype), mode="bilinear", padding_mode="border",
        align_corners=False,
    )[0, 0]  # fmt: skip
    inside = (u.abs() <= 1)[None, :] & (v.abs() <= 1)[:, None]
    return back * inside

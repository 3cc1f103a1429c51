"""The study's training augmentation: one batched homography and lighting in logit space.

Source: fastai 1.0.52 (`vision/transform.py`), whose operations the study used; the draws and
their order are those of that library. Each operation draws independently per image.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

CORNERS = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])  # TL, BL, TR, BR


def augment(x: Tensor, draw: Generator, *, flip: bool = True) -> Tensor:
    """(N, C, H, W) in [0, 1] -> the same, warped, rotated, zoomed, flipped and relit."""
    n, _, height, width = x.shape
    matrix = _geometry(n, height / width, draw)
    if flip:
        sign = torch.where(_happens(n, 0.5, draw), -1.0, 1.0)
        matrix = matrix.clone()
        matrix[:, :, 0] *= sign[:, None]
    return _relight(_sample(x, matrix), draw)


def nudge(x: Tensor, draw: Generator, *, flip: bool = True) -> Tensor:
    """(N, C, H, W) -> the same, shifted by up to 4% with reflection, half of them flipped."""
    n = len(x)
    matrix = torch.eye(3).repeat(n, 1, 1)
    if flip:
        matrix[:, 0, 0] = torch.where(_happens(n, 0.5, draw), -1.0, 1.0)
    matrix[:, :2, 2] = _uniform(n, -0.08, 0.08, draw, columns=2)  # the frame is 2 wide
    return _sample(x, matrix)


def warp_matrix(magnitudes: Tensor) -> Tensor:
    """Four corner magnitudes (N, 4) -> homographies (N, 3, 3) from moved corners to corners."""
    m0, m1, m2, m3 = magnitudes.unbind(1)
    moved = torch.stack(
        [
            torch.stack([-1 - m3, -1 - m1], 1),
            torch.stack([-1 - m2, 1 + m1], 1),
            torch.stack([1 + m3, -1 - m0], 1),
            torch.stack([1 + m2, 1 + m0], 1),
        ],
        dim=1,
    )  # (N, 4, 2)
    return homography(moved, CORNERS.expand_as(moved))


def homography(source: Tensor, target: Tensor) -> Tensor:
    """(N, 4, 2) point pairs -> (N, 3, 3) H with target ~ H · source (direct linear transform)."""
    x, y = source.double().unbind(-1)
    u, v = target.double().unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    top = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], dim=-1)
    low = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], dim=-1)
    solved = torch.linalg.solve(torch.cat([top, low], 1), torch.cat([u, v], 1)[..., None])
    h = torch.cat([solved[..., 0], torch.ones(len(source), 1, dtype=torch.float64)], dim=1)
    return h.view(-1, 3, 3).float()


def _geometry(n: int, aspect: float, draw: Generator) -> Tensor:
    """Rotation · zoom (aspect-corrected) · warp, each kept with probability 0.75: (N, 3, 3)."""
    eye = torch.eye(3).expand(n, 3, 3)
    warp = warp_matrix(_uniform(n, -0.2, 0.2, draw, columns=4))
    angle = _uniform(n, -10.0, 10.0, draw)[:, 0] * math.pi / 180
    rotate = eye.clone()
    rotate[:, 0, 0] = rotate[:, 1, 1] = torch.cos(angle)
    rotate[:, 0, 1] = -torch.sin(angle)
    rotate[:, 1, 0] = torch.sin(angle)
    scale = _uniform(n, 1.0, 1.1, draw)[:, 0]
    focus = _uniform(n, -1.0, 1.0, draw, columns=2) * (1 - 1 / scale)[:, None]
    zoom = eye.clone()
    zoom[:, 0, 0] = zoom[:, 1, 1] = 1 / scale
    zoom[:, :2, 2] = focus
    affine = _maybe(rotate, draw) @ _maybe(zoom, draw)
    affine[:, 0, 1] *= aspect
    affine[:, 1, 0] /= aspect
    return affine @ _maybe(warp, draw)


def _maybe(matrix: Tensor, draw: Generator) -> Tensor:
    keep = _happens(len(matrix), 0.75, draw)[:, None, None]
    return torch.where(keep, matrix, torch.eye(3))


def _sample(x: Tensor, matrix: Tensor) -> Tensor:
    """One bilinear look-up at matrix · p with reflection at the borders."""
    n, _, height, width = x.shape
    ys = (torch.arange(height) * 2 + 1) / height - 1
    xs = (torch.arange(width) * 2 + 1) / width - 1
    grid = torch.stack(
        [xs.expand(height, width), ys[:, None].expand(height, width), torch.ones(height, width)],
        dim=-1,
    ).view(1, -1, 3)
    at = grid @ matrix.transpose(1, 2)  # (N, H·W, 3)
    at = (at[..., :2] / at[..., 2:]).view(n, height, width, 2)
    return F.grid_sample(x, at, mode="bilinear", padding_mode="reflection", align_corners=False)


def _relight(x: Tensor, draw: Generator) -> Tensor:
    """Brightness logit(x) + logit(c), then contrast logit(x) · k; clamped to [1e-7, 1 - 1e-7]."""
    n = len(x)
    bright = torch.logit(_uniform(n, 0.4, 0.6, draw)[:, 0])
    bright = torch.where(_happens(n, 0.75, draw), bright, 0.0)
    contrast = torch.exp(_uniform(n, math.log(0.8), math.log(1.25), draw)[:, 0])
    contrast = torch.where(_happens(n, 0.75, draw), contrast, 1.0)
    z = torch.logit(x.clamp(1e-7, 1 - 1e-7)) + bright[:, None, None, None]
    return torch.sigmoid(z * contrast[:, None, None, None])


def _uniform(n: int, low: float, high: float, draw: Generator, columns: int = 1) -> Tensor:
    return low + (high - low) * torch.rand(n, columns, generator=draw)


def _happens(n: int, p: float, draw: Generator) -> Tensor:
    return torch.rand(n, generator=draw) < p

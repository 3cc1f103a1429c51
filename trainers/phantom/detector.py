"""From ∫μ ds to counted photons: texture, scatter, motion, detector blur, Poisson noise."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from trainers.phantom.projection import beer_lambert
from trainers.phantom.scanner import Scanner
from trainers.phantom.scene import LineIntegrals
from trainers.phantom.technique import Technique

SCATTER_WIDTH = 0.1  # of the image's side: standard deviation of where scattered photons land
TISSUE = 0.3  # ∫μ ds above which a ray has passed the patient
WIDE = 8.0  # pixels: above this a blur is computed on a coarser grid


def texture(size: int, cells: int, draw: Generator, device: str | torch.device = "cpu") -> Tensor:
    """(size, size) smooth noise of unit variance, about `cells` patches across."""
    coarse = torch.from_numpy(draw.standard_normal((1, 1, cells, cells)).astype(np.float32))
    coarse = coarse.to(device)
    smooth = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)[0, 0]
    return smooth / smooth.std()


def living(maps: LineIntegrals, draw: Generator) -> Tensor:
    """What quadrics leave out: the texture of cancellous bone, of muscle and of plaster."""
    size, device = len(maps.total), maps.total.device
    fine, coarse = (texture(size, size // cell, draw, device) for cell in (3, 8))
    muscle = 0.007 * texture(size, 24, draw, device) + 0.012 * texture(size, 7, draw, device)
    changed = maps.total + 0.0020 * maps.cancellous * (0.6 * fine + 0.8 * coarse)
    changed = changed + maps.soft * muscle + 0.07 * maps.plaster * texture(size, 17, draw, device)
    return changed.clamp(min=0)


def expose(
    integrals: Tensor, scanner: Scanner, technique: Technique, draw: Generator, noise: bool = True
) -> Tensor:
    """Photons per pixel, (size, size): scatter, motion, blur, then Poisson noise.

    Automatic exposure: the median pixel behind tissue receives a tenth of the scanner's photons
    from the primary beam, times the technique's dose.
    """
    photons = scanner.photons * technique.dose
    tissue = integrals[integrals > TISSUE]
    level = float(tissue.median()) if len(tissue) else 0.0
    primary = beer_lambert(integrals, 0.1 * photons * math.exp(level))
    # Air does not scatter: what the open beam adds to its surroundings is that of thin tissue.
    behind = primary.clamp(max=0.4 * photons)
    seen = primary.clamp(max=6 * scanner.photons) + scattered(behind, technique.scatter)
    seen = blurred(moved(seen, technique), scanner.blur)
    counts = poisson(seen, draw) if noise else seen
    return counts.clamp(max=6 * scanner.photons)  # the detector saturates


def scattered(primary: Tensor, fraction: float) -> Tensor:
    """Scatter with this fraction of all photons, S / (S + P), spread broadly."""
    return fraction / (1 - fraction) * blurred(primary, SCATTER_WIDTH * len(primary))


def moved(image: Tensor, technique: Technique) -> Tensor:
    """Averaged along a straight path of `motion` times the side, in equal times."""
    length = technique.motion * len(image)
    if length <= 1:
        return image
    reach = math.ceil(length / 2)
    steps = torch.linspace(-length / 2, length / 2, 4 * reach + 1)
    turn = math.radians(technique.angle)
    kernel = torch.zeros(2 * reach + 3, 2 * reach + 3)
    for x, y in zip(steps * math.cos(turn), steps * math.sin(turn), strict=True):
        left, top = math.floor(x), math.floor(y)
        for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
            share = (1 - abs(float(y) - top - down)) * (1 - abs(float(x) - left - across))
            kernel[reach + 1 + top + down, reach + 1 + left + across] += share
    kernel = (kernel / kernel.sum()).to(image)
    padded = F.pad(image[None, None], (reach + 1,) * 4, mode="replicate")
    return F.conv2d(padded, kernel[None, None])[0, 0]


def poisson(mean: Tensor, draw: Generator) -> Tensor:
    """Photon counts with these means, drawn on the CPU."""
    counts = draw.poisson(np.maximum(mean.cpu().numpy().astype(np.float64), 0.0))
    return torch.from_numpy(counts.astype(np.float32)).to(mean.device)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur, separable, edges repeated. Wide ones on a grid coarser by powers of two."""
    if sigma > WIDE and len(image) > 4 * WIDE:
        coarse = F.avg_pool2d(image[None, None], 2, ceil_mode=True, count_include_pad=False)[0, 0]
        small = blurred(coarse, math.sqrt(sigma**2 - 0.75) / 2)[None, None]
        size = (2 * len(coarse),) * 2
        wide = F.interpolate(small, size=size, mode="bilinear", align_corners=False)[0, 0]
        return wide[: len(image), : len(image)]
    reach = min(max(1, math.ceil(4 * sigma)), len(image) - 1)
    at = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = kernel / kernel.sum()
    x = F.pad(image[None, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[0, 0]

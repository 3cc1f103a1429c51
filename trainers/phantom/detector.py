"""From ∫μ ds to the stored image: scatter, blur, photon noise, display curve, shutter, marker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from trainers.phantom.patient import Patient
from trainers.phantom.projection import beer_lambert
from trainers.phantom.scene import LineIntegrals
from trainers.phantom.view import View

# 5 x 7 lead letters, one row of bits per line.
LETTERS = {
    "R": (0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001),
    "L": (0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111),
}


@dataclass(frozen=True, slots=True)
class Scanner:
    """An invented machine. `blur`: pixels; `edge`: share of unsharp mask; `curve`: exponent."""

    maker: str
    model: str
    blur: float
    edge: float
    curve: float
    photons: float
    inverted: bool


SCANNERS = (
    Scanner("SYNTHETIC Alpha", "SYN-100", 0.45, 0.5, 1.0, 9000.0, False),
    Scanner("SYNTHETIC Beta", "SYN-200", 0.60, 0.9, 0.85, 5000.0, True),
    Scanner("SYNTHETIC Gamma", "SYN-300", 0.75, 0.3, 1.15, 3000.0, False),
)


def texture(size: int, cells: int, draw: Generator) -> Tensor:
    """(size, size) smooth noise of unit variance, about `cells` patches across."""
    coarse = torch.from_numpy(draw.standard_normal((1, 1, cells, cells)).astype(np.float32))
    smooth = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)[0, 0]
    return smooth / smooth.std()


def living(maps: LineIntegrals, draw: Generator) -> Tensor:
    """What quadrics leave out: the texture of cancellous bone and of muscle."""
    size = len(maps.total)
    grain = 0.6 * texture(size, size // 3, draw) + 0.8 * texture(size, size // 8, draw)
    muscle = 0.007 * texture(size, 24, draw) + 0.012 * texture(size, 7, draw)
    changed = maps.total + 0.0020 * maps.cancellous * grain + maps.soft * muscle
    return changed.clamp(min=0)


def expose(integrals: Tensor, scanner: Scanner, draw: Generator, noise: bool = True) -> Tensor:
    """Photons per pixel behind the patient, (size, size): scatter, blur, then Poisson noise.

    Automatic exposure: the median pixel behind tissue receives about a tenth of `photons`.
    """
    tissue = integrals[integrals > 0.3]
    level = float(tissue.median()) if len(tissue) else 0.0
    primary = beer_lambert(integrals, 0.1 * scanner.photons * float(np.exp(level)))
    primary = primary.clamp(max=6 * scanner.photons)  # the detector saturates in open beam
    behind = blurred(primary.clamp(max=0.4 * scanner.photons), len(integrals) / 10)
    seen = blurred(primary + 0.25 * behind, scanner.blur)
    return poisson(seen, draw) if noise else seen


def poisson(mean: Tensor, draw: Generator) -> Tensor:
    """Photon counts with these means."""
    counts = draw.poisson(np.maximum(mean.numpy().astype(np.float64), 0.0))
    return torch.from_numpy(counts.astype(np.float32))


def blurred(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur, separable, edges repeated."""
    reach = min(max(1, round(3 * sigma)), len(image) - 1)
    at = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = kernel / kernel.sum()
    x = F.pad(image[None, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[0, 0]


def display(photons: Tensor, scanner: Scanner, draw: Generator) -> Tensor:
    """Photons -> grey in [0, 1], bone bright: logarithm, unsharp mask, window, curve."""
    density = -torch.log(photons.clamp(min=0.5))
    sharp = density + scanner.edge * (density - blurred(density, len(density) / 24))
    thick = sharp[density > density.quantile(0.15)]
    low = float(thick.quantile(0.02)) - draw.uniform(0.1, 0.6)
    high = float(thick.quantile(0.998)) + draw.uniform(-0.1, 0.2)
    grey = ((sharp - low) / max(high - low, 0.2)).clamp(0, 1)
    return grey ** (scanner.curve * draw.uniform(0.85, 1.2))


def shutter(grey: Tensor, draw: Generator) -> Tensor:
    """Modest collimation: black borders of up to 7% on each side, sometimes none."""
    size = len(grey)
    if draw.random() < 0.4:
        return grey
    top, low, left, right = (int(n) for n in draw.integers(0, max(1, size * 7 // 100), 4))
    open_field = torch.zeros_like(grey)
    open_field[top : size - low, left : size - right] = 1
    return grey * open_field


def marker(grey: Tensor, patient: Patient, draw: Generator) -> Tensor:
    """A lead letter for the side, near the lateral upper corner."""
    size = len(grey)
    scale = max(1, size // 90)
    rows = [[int(bit) for bit in f"{line:05b}"] for line in LETTERS[patient.side]]
    glyph = torch.tensor(rows, dtype=torch.float32)
    glyph = glyph.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
    high, wide = glyph.shape
    y = int(draw.integers(size // 12, size // 4))
    x = int(draw.integers(size // 12, size // 5))
    x = x if patient.side == "R" else size - x - wide  # a right hip's outside is on the left
    out = grey.clone()
    patch = out[y : y + high, x : x + wide]
    out[y : y + high, x : x + wide] = torch.maximum(patch, 0.97 * glyph)
    return out


def develop(
    maps: LineIntegrals, patient: Patient, view: View, scanner: Scanner, draw: Generator
) -> Tensor:
    """The image as shown, (size, size) float32 in [0, 1], bone bright."""
    grey = display(expose(living(maps, draw), scanner, draw), scanner, draw)
    if (
        patient.side == "R"
    ):  # the anatomy's lateral is +x; facing the patient, a right hip's is left
        grey = grey.flip(1)
    grey = shutter(grey, draw)
    return (marker(grey, patient, draw) if view.marked else grey).clamp(0, 1)

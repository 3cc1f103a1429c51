"""Scenes with a lesion, a side marker and a scanner's brightness, and models that read one."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.cases.read import from_arrays
from audit.classifier import Classifier
from audit.results import ModelDescription, Preparation
from audit.stresses.side_marker import marked

SIDE = 64
LESION = slice(28, 36), slice(28, 36)
CORNER = slice(0, 13), slice(0, 13)
OFFSET = 0.1  # by which scanner B is brighter


def attributes(n: int, seed: int, confounded: float) -> tuple[np.ndarray, ...]:
    """(n,) fracture, marker, scanner B; P(feature | fracture) − P(feature | normal) is given."""
    draw = np.random.default_rng(seed)
    broken = np.arange(n) % 2 == 0
    chance = np.where(broken, 0.5 + confounded / 2, 0.5 - confounded / 2)
    return broken, draw.random(n) < chance, draw.random(n) < chance


def scenes(
    n: int, seed: int, *, marker: float = 0.0, scanner: float = 0.0, faint: float = 0.25
) -> Cases:
    """Smooth noise; a bright lesion in most fractures, a marker and a scanner per case."""
    draw = np.random.default_rng(seed + 1)
    broken, marks, _ = attributes(n, seed, marker)
    _, _, bright = attributes(n, seed + 500, scanner)
    images = 0.35 + 0.5 * gaussian_filter(draw.normal(0, 1, (n, SIDE, SIDE)), (0, 2, 2))
    seen = broken ^ (draw.random(n) < 0.1)  # one in ten looks like the other
    images[seen, LESION[0], LESION[1]] += faint
    images[bright] += OFFSET
    images = np.clip(images, 0, 1).astype(np.float32)
    for row in np.flatnonzero(marks):
        images[row] = marked(images[row], 0.11, ("L", (0, 0)), 0.05, 1.0)
    return from_arrays(
        images,
        np.where(broken, "fracture", "normal"),
        patients=np.arange(n),
        attributes={
            "marker": np.where(marks, "yes", "no"),
            "scanner": np.where(bright, "B", "A"),
            "sex": np.where(draw.random(n) < 0.5, "F", "M"),
        },
    )


class Reader(nn.Module):
    """Three features (lesion, marker, brightness) and a linear layer that weighs them."""

    def __init__(self, lesion: float = 0.0, marker: float = 0.0, scanner: float = 0.0) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)
        weight = torch.tensor([40.0 * lesion, 20.0 * marker, 80.0 * scanner])
        with torch.no_grad():
            self.head.weight.copy_(torch.stack([-weight, weight]))
            middle = 5.0 * lesion + 2.0 * marker + 4.0 * scanner
            self.head.bias.copy_(torch.tensor([middle, -middle]))

    def features(self, x: Tensor) -> Tensor:
        grey = x.mean(1)
        around = grey[:, 22:42, 22:42].mean((1, 2))
        lesion = grey[:, LESION[0], LESION[1]].mean((1, 2)) - around
        corner = grey[:, CORNER[0], CORNER[1]].amax((1, 2)) - 0.75
        bright = grey[:, 14:50, 14:50].mean((1, 2)) - 0.35
        return torch.stack([lesion, corner, bright], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def classifier_of(module: nn.Module, cam_layer: str | None = None) -> Classifier:
    way = Preparation(height=SIDE, width=SIDE, channels=1, mean=(0.0,), std=(1.0,))
    description = ModelDescription(
        name="planted",
        architecture=type(module).__name__,
        classes=("normal", "fracture"),
        positive_class="fracture",
        preparation=way,
        cam_layer=cam_layer,
    )
    return Classifier(module, description)

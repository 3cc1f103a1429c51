"""Planted toy classifiers: what fools them is known exactly, so a search can be judged.

Class 1 ("fracture") is right until the planted thing happens; then class 0 is said. The
modules take x in [0, 1] (N, 1, H, W) and give logits (N, 2), so they also serve ART's
`PyTorchClassifier`; `classifier_of` wraps one in a Classifier.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.draws import generator
from audit.results import ModelDescription, Preparation
from audit.stresses.registry import Altered, Batch, get_stress

DIRECTIONS = {"right": (1, 0), "left": (-1, 0), "down": (0, 1), "up": (0, -1)}


def classifier_of(module: nn.Module, height: int, width: int, channels: int = 1) -> Classifier:
    """A Classifier of (`normal`, `fracture`) with no normalisation, so module input = x."""
    way = Preparation(
        height=height,
        width=width,
        channels=1 if channels == 1 else 3,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
    )
    description = ModelDescription(
        name="toy",
        architecture=type(module).__name__,
        classes=("normal", "fracture"),
        positive_class="fracture",
        preparation=way,
    )
    return Classifier(module, description)


def batch_of(x: Tensor, target: int = 1, seed: int = 0) -> Batch:
    """A batch whose cases are named after their place, each with its own generator."""
    rngs = [generator(seed, str(place)) for place in range(len(x))]
    return Batch(x, torch.full((len(x),), target), rngs)


def attack(classifier: Classifier, batch: Batch, name: str, **params: object) -> list[Altered]:
    """Runs a stress as the engine does: after every yield, cases that are fooled are closed."""
    batch.open = decided(classifier, batch.x) == batch.y.numpy()
    stress, found = get_stress(name), []
    for altered in stress.perturb(classifier, batch, **stress.check(params)):
        rows = list(range(len(batch.x))) if altered.rows is None else list(altered.rows)
        wrong = decided(classifier, altered.images) != batch.y.numpy()[rows]
        batch.open[[row for row, fooled in zip(rows, wrong, strict=True) if fooled]] = False
        found.append(altered)
    return found


def decided(classifier: Classifier, x: Tensor) -> np.ndarray:
    """Class index per image."""
    return classifier.decide(classifier.predict(x).logits)


def centred_dot(n: int, height: int, width: int) -> Tensor:
    """(n, 1, height, width), black, with a bright square about the exact centre."""
    x = torch.zeros(n, 1, height, width)
    top, left = (height - 2) // 2, (width - 2) // 2
    x[:, :, top : top + 2 + height % 2, left : left + 2 + width % 2] = 1.0
    return x


def side_dot(n: int, height: int, width: int, radius: int) -> Tensor:
    """The same dot, `radius` pixels to the right of the centre."""
    return torch.roll(centred_dot(n, height, width), radius, dims=3)


def centroid(x: Tensor) -> tuple[Tensor, Tensor]:
    """Centre of brightness, (right, down) of the image centre in pixels, (N,) each."""
    height, width = x.shape[-2:]
    columns = torch.arange(width, dtype=x.dtype, device=x.device) - (width - 1) / 2
    rows = torch.arange(height, dtype=x.dtype, device=x.device) - (height - 1) / 2
    light = x.mean(1)
    total = light.sum((1, 2)).clamp_min(1e-6)
    right = (light.sum(1) * columns).sum(1) / total
    down = (light.sum(2) * rows).sum(1) / total
    return right, down


class FooledByShift(nn.Module):
    """Wrong exactly when the content has moved `pixels` or more in one direction."""

    def __init__(self, direction: str, pixels: int) -> None:
        super().__init__()
        self.step, self.limit = DIRECTIONS[direction], pixels - 0.5

    def forward(self, x: Tensor) -> Tensor:
        right, down = centroid(x)
        moved = self.step[0] * right + self.step[1] * down
        return torch.stack([torch.zeros_like(moved), self.limit - moved], dim=1)


class FooledByRotation(nn.Module):
    """For `side_dot`: wrong exactly when turned `degrees` or more counter-clockwise.

    Negative `degrees`: turned that much or more clockwise.
    """

    def __init__(self, degrees: float) -> None:
        super().__init__()
        self.sign = math.copysign(1.0, degrees)
        self.limit = abs(degrees) - 0.5

    def forward(self, x: Tensor) -> Tensor:
        right, down = centroid(x)
        angle = torch.rad2deg(torch.atan2(-down, right))
        return torch.stack([torch.zeros_like(angle), self.limit - self.sign * angle], dim=1)


class FooledByPixel(nn.Module):
    """For black images: wrong exactly when the pixel (column, row) is 0.9 or brighter.

    The neighbourhood attracts a search (weights fall off with distance) but no other single
    pixel is enough, however bright.
    """

    def __init__(self, column: int, row: int, height: int, width: int) -> None:
        super().__init__()
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        distance = (rows - row) ** 2 + (columns - column) ** 2
        self.register_buffer("weight", 0.8 * torch.exp(-distance / 18.0))
        self.weight[row, column] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        seen = (x.mean(1) * self.weight).sum((1, 2))
        return torch.stack([torch.zeros_like(seen), 10 * (0.899 - seen)], dim=1)


class Unmoved(nn.Module):
    """Says "fracture" whatever it sees: nothing fools it."""

    def forward(self, x: Tensor) -> Tensor:
        zero = 0 * x.mean((1, 2, 3))
        return torch.stack([zero, zero + 1], dim=1)


class NotFinite(nn.Module):
    """Right on black images, NaN as soon as anything is bright."""

    def forward(self, x: Tensor) -> Tensor:
        bright = x.amax((1, 2, 3))
        said = torch.where(bright > 0.5, torch.nan, 1.0)
        return torch.stack([torch.zeros_like(said), said], dim=1)


class SmallNet(nn.Module):
    """A fixed random convolutional network; `middle` is where its decision flips."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.first = nn.Conv2d(1, 8, 5, stride=2)
            self.second = nn.Conv2d(8, 8, 3)
            self.place = torch.randn(8, 1, 1) + 0.2 * torch.randn(8, 64, 64)
        self.middle = torch.zeros(1)

    def score(self, x: Tensor) -> Tensor:
        seen = torch.relu(self.second(torch.relu(self.first(x))))
        return (seen * self.place[:, : seen.shape[2], : seen.shape[3]]).mean((1, 2, 3))[:, None]

    def forward(self, x: Tensor) -> Tensor:
        score = 100 * (self.score(x) - self.middle)
        return torch.cat([-score, score], dim=1)


def balanced_net(n: int, side: int, seed: int = 1) -> tuple[SmallNet, Tensor, Tensor]:
    """A network, n smooth images and what it says of them: half each, near enough to flip."""
    noise = np.random.default_rng(seed).random((n, 1, side, side))
    smooth = gaussian_filter(noise, (0, 0, 2, 2))
    spread = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    x = torch.from_numpy(spread.astype(np.float32))
    net = SmallNet(seed).eval()
    with torch.no_grad():
        net.middle = net.score(x).median()
        return net, x, net(x).argmax(1)

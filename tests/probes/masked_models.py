"""Planted models whose gradients are masked in a known way, and sound ones that are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from audit.cases.case import Cases
from audit.cases.read import from_arrays
from audit.classifier import Classifier
from audit.results import ModelDescription, Preparation

SIDE = 16
CLASSES = ("normal", "fracture")


def scenes(n: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, SIDE, SIDE) grey noise in [0, 1] and labels (n,); class 1 has a brighter middle."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(0.3, 0.5, (n, SIDE, SIDE)).astype(np.float32)
    labels = np.arange(n) % 2
    images[labels == 1, 5:11, 5:11] += 0.12
    return images, labels


def cases(n: int = 24) -> Cases:
    images, labels = scenes(n)
    return from_arrays(images, [CLASSES[label] for label in labels])


def classifier_of(module: nn.Module, **changes: object) -> Classifier:
    description = ModelDescription(
        name="planted",
        architecture=type(module).__name__,
        classes=CLASSES,
        positive_class="fracture",
        preparation=Preparation(height=SIDE, width=SIDE, channels=1, mean=(0.0,), std=(1.0,)),
        preparation_origin="test",
    )
    return Classifier(module, description.model_copy(update=changes))


class Linear(nn.Module):
    """Brightness of the middle against that of the rest; sound, and right on every scene."""

    def __init__(self, gain: float = 40.0, offset: float = 0.06) -> None:
        super().__init__()
        weight = torch.full((SIDE, SIDE), -1.0 / (SIDE * SIDE - 36))
        weight[5:11, 5:11] = 1.0 / 36
        self.weight, self.gain, self.offset = nn.Parameter(weight), gain, offset

    def score(self, x: Tensor) -> Tensor:
        return (x.mean(1) * self.weight).sum((1, 2)) - self.offset

    def forward(self, x: Tensor) -> Tensor:
        z = self.gain * self.score(x)
        return torch.stack([-z, z], dim=1)


class Through(Linear):
    """The same answer behind something that spoils its gradient: (x or logits) -> the same."""

    def __init__(
        self,
        before: Callable[[Tensor], Tensor] = lambda x: x,
        after: Callable[[Tensor], Tensor] = lambda z: z,
    ) -> None:
        super().__init__()
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(super().forward(self.before(x)))


def quantised() -> nn.Module:
    """Sixty-four grey levels: rounding has no slope, so no gradient arrives."""
    return Through(before=lambda x: torch.round(x * 63) / 63)


def saturated() -> nn.Module:
    """Sound but for its scale: softmax is 0 or 1 to the last digit."""
    return Through(after=lambda z: 1e4 * z)


def softmaxed() -> nn.Module:
    """Answers with probabilities so sharp that most are 0 or 1, and calls them logits."""
    return Through(after=lambda z: torch.softmax(200 * z, dim=1))


def stochastic() -> nn.Module:
    """Adds noise to its logits, as dropout left on would."""
    return Through(after=lambda z: z + 0.05 * torch.randn_like(z))


def shattered() -> nn.Module:
    """A fast, small ripple on every pixel: its slope drowns the true one, its value does not."""
    return Through(before=lambda x: x + 0.004 * torch.sin(4000 * x))


def trained(seed: int = 0, steps: int = 60) -> nn.Module:
    """A small convolutional network, fitted to other scenes than those audited."""
    images, labels = scenes(256, seed=100 + seed)
    x, y = torch.from_numpy(images)[:, None], torch.from_numpy(labels)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(64, 2),
        )
        fit = torch.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(steps):
            fit.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            fit.step()
    return net.eval()

"""Cascades of planted links whose answers are known, as small as they come."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.checkpoints.architectures import build
from audit.classifier import Classifier
from audit.results import ModelDescription, Preparation

CLASSES = ("normal", "fracture")
SIZE = 32


class Says(nn.Module):
    """The same logits for every image, whatever it shows."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, x: Tensor) -> Tensor:
        return self.logits + 0 * x.mean((1, 2, 3))[:, None]


class Brighter(nn.Module):
    """Two logits: the second wins by `steep` × (mean - boundary)."""

    def __init__(self, boundary: float = 0.5, steep: float = 20.0) -> None:
        super().__init__()
        self.boundary = boundary
        self.steep = nn.Parameter(torch.tensor(steep))

    def forward(self, x: Tensor) -> Tensor:
        score = self.steep * (x.mean((1, 2, 3)) - self.boundary)
        return torch.stack([-score / 2, score / 2], 1)


class Centroid(nn.Module):
    """A localiser: the logits of the centre of brightness, as shares of the frame."""

    def forward(self, x: Tensor) -> Tensor:
        light = x.mean(1)
        rows = (torch.arange(x.shape[-2]) + 0.5) / x.shape[-2]
        columns = (torch.arange(x.shape[-1]) + 0.5) / x.shape[-1]
        total = light.sum((1, 2)).clamp_min(1e-6)
        across = (light.sum(1) * columns).sum(1) / total
        down = (light.sum(2) * rows).sum(1) / total
        return torch.logit(torch.stack([across, down], 1), eps=1e-4)


class Spot(nn.Module):
    """A convolution that copies the image, then the mean of its brightest part against 0.5."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.copy.weight)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.copy(x)
        score = (seen**2).mean((1, 2, 3)) * 10
        return torch.stack([-score, score], 1)


def classifier(
    module: nn.Module,
    classes: tuple[str, ...] = CLASSES,
    positive: str | None = None,
    *,
    size: int = SIZE,
    **said: object,
) -> Classifier:
    """A link to be: one channel, no normalisation, squished to size × size."""
    way = Preparation(height=size, width=size, resize="squish", channels=1, mean=(0.0,), std=(1.0,))
    description = ModelDescription(
        name="link",
        architecture=type(module).__name__,
        classes=classes,
        positive_class=positive or classes[-1],
        preparation=way,
    )
    return Classifier(module, description.model_copy(update=said))


def squeezenet(
    classes: tuple[str, ...] = CLASSES, seed: int = 0, *, size: int = SIZE, **said: object
) -> Classifier:
    """A SqueezeNet that was never trained, as a link that can be stored."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = build("squeezenet1_1", len(classes))
    description = ModelDescription(
        name="link",
        architecture="squeezenet1_1",
        classes=classes,
        positive_class=classes[-1],
        preparation=Preparation(height=size, width=size, resize="squish"),
    )
    return Classifier(module, description.model_copy(update=said))


def spots(*places: tuple[int, int], height: int = 64, width: int = 64) -> Tensor:
    """(N, 1, height, width), black with a bright 6 × 6 square about each (column, row)."""
    x = torch.zeros(len(places), 1, height, width)
    for image, (column, row) in zip(x, places, strict=True):
        image[0, row - 3 : row + 3, column - 3 : column + 3] = 1.0
    return x


def flat(*levels: float, size: int = 64) -> Tensor:
    """(N, 1, size, size), each of one grey level."""
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 1, size, size).clone()

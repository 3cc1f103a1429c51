"""Small checkpoints for tests."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torchvision import models

from audit.checkpoints.options import ModelOptions

LABELS = ("fractured", "normal")
OPTIONS = ModelOptions()


def torchvision_net(name: str, classes: int = 2, seed: int = 0, **options: object) -> nn.Module:
    """A seeded, randomly initialised network whose BatchNorms are not at their defaults."""
    torch.manual_seed(seed)
    module = models.get_model(name, weights=None, num_classes=classes, **options)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.1, 0.1)
            part.running_var.uniform_(0.8, 1.2)
    return module.eval()


def saved(path: Path, content: object, **options: object) -> Path:
    torch.save(content, path, **options)
    return path


def grey(n: int = 2, size: int = 224) -> torch.Tensor:
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(1))


def expected(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What the network says of grey x in [0, 1] with ImageNet's normalisation, by hand."""
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.no_grad():
        return module((x.repeat(1, 3, 1, 1) - mean) / std)


def assert_logits(found: torch.Tensor, wanted: torch.Tensor) -> None:
    """Equal to the contract's 1e-4: a convolution's last digits may follow memory alignment."""
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)

"""Classification heads: fastai's concat-pool head and the recipe's variant of torchvision's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class AdaptiveConcatPool2d(nn.Module):
    """(N, C, H, W) -> (N, 2C, 1, 1): maximum first, then average. Source: fastai 1.0.52 layers."""

    def __init__(self) -> None:
        super().__init__()
        self.ap = nn.AdaptiveAvgPool2d(1)
        self.mp = nn.AdaptiveMaxPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.mp(x), self.ap(x)], 1)


def concat_pool_head(features: int, classes: int, width: int = 512) -> nn.Sequential:
    """fastai's head: pool → BN → Dropout(.25) → Linear → ReLU → BN → Dropout(.5) → Linear.

    Kaiming-normal weights and zero biases on the linear layers. Source: fastai 1.0.52
    `create_head`.
    """
    head = nn.Sequential(
        AdaptiveConcatPool2d(),
        nn.Flatten(),
        nn.BatchNorm1d(2 * features),
        nn.Dropout(0.25),
        nn.Linear(2 * features, width),
        nn.ReLU(),
        nn.BatchNorm1d(width),
        nn.Dropout(0.5),
        nn.Linear(width, classes),
    )
    for part in head:
        if isinstance(part, nn.Linear):
            nn.init.kaiming_normal_(part.weight)
            nn.init.zeros_(part.bias)
    return head


def recipe_head(module: nn.Module) -> nn.Module:
    """Torchvision's classifier with dropout before the last layer, and no ReLU after it.

    SqueezeNet ends in a ReLU, under which negative evidence cannot be said and a network
    trained from scratch dies; where no Dropout stands before the last layer one is put there.
    """
    name, last = last_layer(module)
    if isinstance(last, nn.Conv2d):
        classifier = module.get_submodule(name.rpartition(".")[0])
        if isinstance(classifier, nn.Sequential):
            classifier[2] = nn.Identity()
    elif not any(isinstance(part, nn.Dropout) for part in siblings(module, name)):
        module.set_submodule(name, nn.Sequential(nn.Dropout(0.5), last))
    return module


def last_layer(module: nn.Module) -> tuple[str, nn.Module]:
    """Name and module of the layer that gives the classes (SqueezeNet's is a convolution)."""
    layers = [
        (name, part)
        for name, part in module.named_modules()
        if isinstance(part, nn.Linear | nn.Conv2d)
    ]
    if isinstance(layers[-1][1], nn.Linear):
        return layers[-1]
    named = [(name, part) for name, part in layers if name.startswith("classifier")]
    return named[-1] if named else layers[-1]


def siblings(module: nn.Module, name: str) -> Sequence[nn.Module]:
    """The modules in the same container, or for a child of the network itself its dropout."""
    container = name.rpartition(".")[0]
    return list(module.get_submodule(container).children())

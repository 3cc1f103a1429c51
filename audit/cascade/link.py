"""A link: a network with its own preparation, so that links of any size can follow each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.checkpoints.outputs import column, first_tensor
from audit.classifier import at_size
from audit.results import ModelDescription


class Link(nn.Module):
    """x (N, 1, any H, any W) in [0, 1] -> what the network says of it, (N, K); differentiable.

    The image is resized to the network's own size, repeated to its channels and normalised as
    the network's description says.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, description: ModelDescription) -> None:
        super().__init__()
        self.network = network
        self.description = description
        way = description.preparation
        self.register_buffer("mean", torch.tensor(way.mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(way.std).view(1, -1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        way = self.description.preparation
        seen = at_size(x, way)
        if way.interpolation == "bicubic":  # the only one that overshoots
            seen = seen.clamp(0.0, 1.0)
        normal = (seen.expand(-1, way.channels, -1, -1) * way.value_range - self.mean) / self.std
        return column(first_tensor(self.network(normal)), len(x))

    def extra_repr(self) -> str:
        """Part of what identifies a computation: `audit.fingerprint` hashes a module's text."""
        said = self.description
        return f"{said.preparation!r}, {said.classes}, {said.positive_class}, {said.threshold}"

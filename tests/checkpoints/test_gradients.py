"""Whether a network can be differentiated is found by trying, not assumed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audit.checkpoints.load import from_module
from audit.checkpoints.options import ModelOptions

LABELS = ("fracture", "normal")
OPTIONS = ModelOptions(classes=LABELS, positive_class="fracture")


class Plain(nn.Module):
    """Brightness as two logits."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.first(x).mean((2, 3))


class Frozen(Plain):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


class OutsideTorch(nn.Module):
    """As a runtime of its own would compute it."""

    def forward(self, x: Tensor) -> Tensor:
        level = x.numpy().mean(axis=(1, 2, 3))
        return torch.from_numpy(np.stack([level, -level], axis=1).astype(np.float32))


class Rounded(Plain):
    """Zero gradients are gradients: an attack is then blind, and the masking probe says so."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.round(x))


@pytest.mark.parametrize(
    ("module", "expected"),
    [(Plain(), True), (Rounded(), True), (Frozen(), False), (OutsideTorch(), False)],
    ids=["plain", "rounded", "no autograd", "outside torch"],
)
def test_a_network_is_said_to_have_gradients_when_it_has(module, expected) -> None:
    classifier = from_module(module, LABELS, OPTIONS)
    assert classifier.has_gradients is expected
    noted = "no-gradients" in {note.code for note in classifier.description.notes}
    assert noted is not expected

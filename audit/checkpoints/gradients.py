"""Whether a network can be differentiated, found by trying: attacks that need it must not run."""

from __future__ import annotations

import torch
from torch import nn

from audit.results import Note, Preparation

NO_GRADIENTS = Note(
    code="no-gradients",
    level="warning",
    text="The network gives no gradients with respect to its input: attacks that follow a "
    "gradient do not apply, and robust accuracy rests on searches that need none.",
)


def gives_gradients(module: nn.Module, way: Preparation) -> bool:
    """One forward and one backward of a flat picture. A gradient of zero is a gradient.

    False for a network that runs without autograd: exported, quantised, computed outside torch.
    """
    x = torch.zeros(1, way.channels, way.height, way.width, requires_grad=True)
    try:
        with torch.enable_grad():
            z = module(x)
            if not z.requires_grad:
                return False
            (gradient,) = torch.autograd.grad(z.sum(), x, allow_unused=True)
    except RuntimeError:  # what torch raises where there is no way back, NumPy inside included
        return False
    return gradient is not None

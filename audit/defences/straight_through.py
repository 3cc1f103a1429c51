"""A step without a useful gradient, made passable for attacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, changed: Tensor) -> Tensor:  # noqa: ARG004 torch's signature
        return changed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ARG004
        return gradients[0], None


def straight_through(change: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """`change(x)` exactly, with the gradient of x itself.

    For a change that stays close to x (rounding, compression) whose own gradient is zero or
    does not exist: without this an attack would find nothing, which would look like strength.
    Source: BPDA, Athalye et al. 2018, arXiv:1802.00420.
    """
    with torch.no_grad():
        changed = change(x)
    through: Tensor = _StraightThrough.apply(x, changed)
    return through

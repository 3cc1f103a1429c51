"""From what the views weigh and what the branches say to one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def branch_weights(views: Sequence[str], branches: Sequence[str]) -> Tensor:
    """Log weights (V, B) of the branches under each view.

    A view with a branch of its name is answered by it alone; any other by all branches alike.
    """
    even = [1 / len(branches)] * len(branches)
    rows = [[float(b == v) for b in branches] if v in branches else even for v in views]
    return torch.tensor(rows).reshape(len(views), len(branches)).log()


def mixture(weights: Tensor, said: Tensor) -> Tensor:
    """log Σ_b w_b p_b(y): log weights (N, B) and log-probabilities (N, B, K) -> (N, K)."""
    return torch.logsumexp(weights[:, :, None] + said, dim=1)


class HardValueSoftGradient(torch.autograd.Function):
    """The value of the first argument, the gradient of the second.

    A choice between branches has no gradient of its own. What is decided stays the choice; an
    attacker who knows the network differentiates the mixture instead (backward-pass
    differentiable approximation, Athalye et al. 2018, arXiv:1802.00420).
    """

    @staticmethod
    def forward(_ctx: Any, value: Tensor, _slope: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(_ctx: Any, *grads: Any) -> Any:
        return None, grads[0]

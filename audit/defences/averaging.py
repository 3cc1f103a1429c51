"""What defences that look several times share: one answer out of many."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def log_mean_softmax(looks: Sequence[Tensor]) -> Tensor:
    """Logits (N, K) of each look -> logarithm of the mean softmax (N, K), differentiable."""
    each = torch.stack([F.log_softmax(look, dim=1) for look in looks])
    return torch.logsumexp(each, dim=0) - math.log(len(each))

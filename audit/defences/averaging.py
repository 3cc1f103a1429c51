"""What defences that look several times share: one answer out of many looks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier

TOGETHER = 16  # images that pass through the network at a time, or the batch if that is larger


def average(classifier: Classifier, looks: Iterable[Tensor]) -> Tensor:
    """Logarithm of the mean softmax (N, K) over looks (N, C, H, W) at the same N images.

    Differentiable. A look is made when its turn has come: few of them stay in memory at once,
    but where a gradient is asked for, which holds them all.
    """
    waiting = iter(looks)
    found: list[Tensor] = []
    while (first := next(waiting, None)) is not None:
        others = TOGETHER // max(1, len(first)) - 1
        group = [first, *islice(waiting, max(0, others))]
        said = classifier.logits(torch.cat(group) if len(group) > 1 else first)
        found += torch.chunk(said, len(group))
    each = torch.stack([F.log_softmax(look, dim=1) for look in found])
    return torch.logsumexp(each, dim=0) - math.log(len(each))

"""What defences that look several times share: one answer out of many looks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.speed.batch_size import largest

USUAL = 224 * 224  # pixels of an image


def average(classifier: Classifier, looks: Iterable[Tensor]) -> Tensor:
    """Logarithm of the mean softmax (N, K) over looks (N, C, H, W) at the same N images.

    Differentiable. As many pass through the network together as the largest batch of 224² holds,
    or one look where they are larger. A look is made when its turn has come, so few stay in
    memory, but where a gradient holds them all.
    """
    most = largest(classifier.device) * USUAL
    waiting = iter(looks)
    found: list[Tensor] = []
    while (first := next(waiting, None)) is not None:
        others = most // max(1, len(first) * first.shape[-2] * first.shape[-1]) - 1
        group = [first, *islice(waiting, max(0, others))]
        said = classifier.logits(torch.cat(group) if len(group) > 1 else first)
        found += torch.chunk(said, len(group))
    each = torch.stack([F.log_softmax(look, dim=1) for look in found])
    return torch.logsumexp(each, dim=0) - math.log(len(each))

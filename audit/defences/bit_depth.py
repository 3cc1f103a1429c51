"""Fewer grey levels in front of the network."""

from __future__ import annotations

import torch
from torch import Tensor

from audit.classifier import Classifier
from audit.defences.registry import defence
from audit.defences.straight_through import straight_through
from audit.defences.telling import defended
from audit.errors import HipauditError


@defence("bit-depth")
def bit_depth(classifier: Classifier, *, bits: int = 4) -> Classifier:
    """Rounds every pixel to 2^`bits` equal steps before the network sees it.

    A perturbation smaller than half a step is often rounded away; one that crosses a limit
    becomes a whole step. Rounding has no gradient, so the gradient goes straight through it
    (BPDA, Athalye et al. 2018, arXiv:1802.00420): the attack is on the rounded network.

    Source: Xu et al. 2018, arXiv:1704.01155.
    """
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= 8:
        raise HipauditError("`bits` to be a whole number from 1 to 8", f"{bits!r}", "Use 4.")
    steps = 2**bits - 1

    def rounded(x: Tensor) -> Tensor:
        return torch.round(x * steps).div(steps)

    def forward(x: Tensor) -> Tensor:
        return classifier.logits(straight_through(rounded, x))

    text = f"Bit depth: each image is rounded to {steps + 1} grey levels ({bits} bits)."
    return defended(classifier, forward, "bit-depth.bits", text)

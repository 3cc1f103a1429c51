"""Gaussian blur in front of the network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.defences.registry import defence
from audit.defences.telling import defended
from audit.stresses.radii import positive
from audit.stresses.severities import between

REACH = 4.0  # standard deviations that the kernel covers on each side
WIDEST = 100.0  # pixels; the padding grows with it, and so does the memory


@defence("blur")
def blur(classifier: Classifier, *, sigma: float = 1.0) -> Classifier:
    """Blurs each image by a Gaussian of `sigma` pixels before the network sees it.

    Fine patterns are averaged away, and so are fine fracture lines: the clean cost says how
    much. It is linear, so attacks pass through its own gradient. Pixels are those of the
    network's input; the border is repeated outwards.

    Source: spatial smoothing as feature squeezing, Xu et al. 2018, arXiv:1704.01155.
    """
    positive(sigma=sigma)
    between(0.0, WIDEST, sigma=sigma)

    def forward(x: Tensor) -> Tensor:
        return classifier.logits(blurred(x, sigma))

    text = f"Blur: each image is blurred by a Gaussian of {sigma:g} pixels."
    return defended(classifier, forward, "blur.sigma", text)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """(N, C, H, W), each channel convolved with a Gaussian; the border is repeated."""
    reach = int(REACH * sigma + 0.5)
    steps = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    weights = torch.exp(-0.5 * (steps / sigma) ** 2)
    weights = weights / weights.sum()
    channels = x.shape[1]
    wide = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    down = weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    across = weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    return F.conv2d(F.conv2d(wide, down, groups=channels), across, groups=channels)

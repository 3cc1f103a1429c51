"""JPEG compression in front of the network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from audit.classifier import Classifier
from audit.defences.registry import defence
from audit.defences.straight_through import straight_through
from audit.defences.telling import defended
from audit.errors import HipauditError
from audit.stresses.jpeg_quality import written_and_read


@defence("jpeg")
def jpeg(classifier: Classifier, *, quality: int = 75) -> Classifier:
    """Writes each image as a JPEG of this `quality` and reads it back before the network sees it.

    8 bits, baseline; a grey image is coded grey, a colour one with chroma at half resolution.
    Compression drops fine detail, and small perturbations with it. It has no gradient of its
    own, so the gradient goes straight through (BPDA, Athalye et al. 2018, arXiv:1802.00420).

    Sources: Dziugaite et al. 2016, arXiv:1608.00853; Guo et al. 2018, arXiv:1711.00117.
    """
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise HipauditError(
            "`quality` to be a whole number from 1 to 100", f"{quality!r}", "Use 75."
        )

    def coded(x: Tensor) -> Tensor:
        return through_jpeg(x, quality)

    def forward(x: Tensor) -> Tensor:
        return classifier.logits(straight_through(coded, x))

    text = f"JPEG: each image is compressed with quality {quality} and read back, 8 bits."
    return defended(classifier, forward, "jpeg.quality", text)


def through_jpeg(x: Tensor, quality: int) -> Tensor:
    """(N, 1 or 3, H, W) in [0, 1] -> the same images out of JPEG files, on the same device."""
    levels = (x.detach() * 255).round().clamp(0, 255).to(torch.uint8)
    grey = x.shape[1] == 1
    images = (levels[:, 0] if grey else levels.permute(0, 2, 3, 1)).cpu().numpy()
    read = torch.from_numpy(np.stack([written_and_read(image, quality) for image in images]))
    read = read[:, None] if grey else read.permute(0, 3, 1, 2)
    return (read.to(x.device).to(x.dtype) / 255).contiguous()

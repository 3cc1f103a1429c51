"""SmoothGrad: which pixels the score answers to, whatever the layers in between."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.draws import generator
from audit.probes.cam.maps import Map

DRAWS = 6
SIGMA = 0.1  # of the scale of the pixels, as the paper advises (10–20%)
GRID = 28


def smoothgrad(classifier: Classifier, seed: int, *, draws: int = DRAWS) -> Map:
    """A function (x (1 or 3, H, W), class index) -> SmoothGrad map (h, w) >= 0 of one image.

    |mean over `draws` of ∂z/∂x at x + N(0, 0.1²)|, summed over channels and averaged in a grid
    of at most 28 × 28, the scale at which the other maps can be read. The noise is the same for
    every image. Source: Smilkov et al. 2017, arXiv:1706.03825.
    """

    def cam(x: Tensor, target: int) -> np.ndarray:
        noise = generator(seed, "smoothgrad").normal(0, SIGMA, (draws, *x.shape))
        noisy = (x[None] + torch.from_numpy(noise).float()).to(classifier.device)
        noisy.requires_grad_(True)
        score = classifier.logits(noisy)[:, target].sum()
        (slope,) = torch.autograd.grad(score, noisy)
        size = (min(GRID, x.shape[-2]), min(GRID, x.shape[-1]))
        heat = F.adaptive_avg_pool2d(slope.mean(0).abs().sum(0)[None, None], size)
        return np.asarray(heat[0, 0].cpu().numpy(), dtype=np.float32)

    return cam

"""Whether removing what a heat map marks changes the score more than removing other regions.

ROAD (Rong et al. 2022, arXiv:2202.00449): pixels are removed in the order of the map, most
relevant first and least relevant first, and imputed from their neighbours with a little noise,
so that the shape of a hole is no clue. pytorch-grad-cam's imputation solves a sparse system per
image, seconds at 224 px; here the same equations are relaxed on a pyramid, many images at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.probes.cam.maps import Array
from audit.probes.gradcam.gallery import enlarged

REMOVED = (0.1, 0.3, 0.5, 0.7, 0.9)
CONTROLS = 2
NOISE = 0.01
IMAGES = 2 * len(REMOVED) * (1 + CONTROLS)  # through the network, per case
_RELAXED = 8
_WEIGHTS = ((1 / 12, 1 / 6, 1 / 12), (1 / 6, 0.0, 1 / 6), (1 / 12, 1 / 6, 1 / 12))


@dataclass(frozen=True)
class Removal:
    """P(class) along REMOVED: `most` and `least` relevant first, and the same of the controls."""

    most: Array
    least: Array
    control_most: Array
    control_least: Array

    @property
    def reach(self) -> float:
        """By how much P moves over all that was removed."""
        every = np.concatenate([self.most, self.least, self.control_most, self.control_least])
        return float(every.max() - every.min())

    @property
    def faithfulness(self) -> float:
        """Area between the two orders, of the map minus of its controls; in [-1, 1]."""
        own = (self.least - self.most).mean() / 2
        return float(own - (self.control_least - self.control_most).mean() / 2)


def removal(
    classifier: Classifier,
    x: Tensor,
    target: int,
    heat: Array,
    rng: np.random.Generator,
    batch: int,
) -> Removal:
    """What the classifier says of x (C, H, W) as ever more of it is removed by `heat` (h, w) >= 0.

    The controls are the same map moved elsewhere: as smooth, with the same values.
    """
    said = [
        _along(classifier, x, target, one, rng, batch)
        for one in (heat, *(moved(heat, rng) for _ in range(CONTROLS)))
    ]
    controls = np.stack(said[1:]).mean(0)
    return Removal(said[0][0], said[0][1], controls[0], controls[1])


def _along(
    classifier: Classifier,
    x: Tensor,
    target: int,
    heat: Array,
    rng: np.random.Generator,
    batch: int,
) -> Array:
    """(2, shares removed): P(target), most relevant removed first and least relevant first."""
    kept = np.stack(list(_kept(heat, x, rng)))
    known = torch.from_numpy(kept)[:, None]
    noise = torch.from_numpy(rng.normal(0, NOISE, (len(kept), *x.shape)).astype(np.float32))
    images = torch.where(known, x, imputed(x, known) + noise).clamp(0, 1)
    with torch.no_grad():
        parts = torch.split(images, batch)
        said = torch.cat([classifier.logits(part).float().softmax(1).cpu() for part in parts])
    return np.asarray(said[:, target].numpy().reshape(2, len(REMOVED)), dtype=np.float32)


def moved(heat: Array, rng: np.random.Generator) -> Array:
    """A map (h, w) moved around by at least a quarter of its height or width."""
    height, width = heat.shape
    while True:
        down, right = int(rng.integers(height)), int(rng.integers(width))
        if 4 * min(down, height - down) >= height or 4 * min(right, width - right) >= width:
            return np.roll(heat, (down, right), axis=(0, 1))


def _kept(heat: Array, x: Tensor, rng: np.random.Generator) -> Iterator[npt.NDArray[np.bool_]]:
    """(H, W) pixels that stay: most relevant removed first, then least, at each of REMOVED.

    Pixels of equal relevance go in a random order.
    """
    wide = enlarged(heat, *x.shape[-2:]).ravel()
    order = np.lexsort((rng.random(wide.size), -wide))
    for ranked in (order, order[::-1]):
        for share in REMOVED:
            kept = np.ones(wide.size, dtype=bool)
            kept[ranked[: round(share * wide.size)]] = False
            yield kept.reshape(x.shape[-2:])


def imputed(x: Tensor, known: Tensor) -> Tensor:
    """x (C, H, W) with what is not `known` (N, 1, H, W) as the mean of its eight neighbours.

    (N, C, H, W). Neighbours beside weigh 1/6, across 1/12; a neighbour that is missing too
    counts with what it is imputed as: coarse to fine, relaxed a few times at each size.
    """
    return _imputed((x * known), known)


def _imputed(values: Tensor, known: Tensor) -> Tensor:
    """`values` (N, C, H, W) hold 0 where not `known` (N, 1, H, W)."""
    if bool(known.all()) or min(values.shape[-2:]) < 2:
        share = known.float().mean((2, 3), keepdim=True).clamp(min=1e-9)
        return torch.where(known, values, values.mean((2, 3), keepdim=True) / share)
    share = F.avg_pool2d(known.float(), 2, ceil_mode=True)
    coarse = F.avg_pool2d(values, 2, ceil_mode=True) / share.clamp(min=1e-9)
    below = _imputed(torch.where(share > 0, coarse, 0.0), share > 0)
    wide = F.interpolate(below, values.shape[-2:], mode="bilinear", align_corners=False)
    found = torch.where(known, values, wide)
    for _ in range(_RELAXED):
        found = torch.where(known, values, _neighbours(found))
    return found


def _neighbours(images: Tensor) -> Tensor:
    """The weighted mean of the neighbours that lie inside the image."""
    count = images.shape[1]
    weights = torch.tensor(_WEIGHTS)[None, None]
    inside = F.conv2d(torch.ones_like(images[:1, :1]), weights, padding=1)
    mixed = F.conv2d(images, weights.expand(count, 1, 3, 3), padding=1, groups=count)
    return mixed / inside

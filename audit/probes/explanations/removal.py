"""Whether removing what a heat map marks changes the score more than removing other regions.

ROAD (Rong et al. 2022, arXiv:2202.00449): pixels are removed in the order of the map, most
relevant first and least relevant first, and imputed from their neighbours with a little noise,
so that the shape of a hole is no clue. pytorch-grad-cam's imputation solves a sparse system per
image, seconds at 224 px; here the same equations are relaxed on a pyramid, many images at once:
as the layers of one tensor, innermost in memory, since one kernel is then laid over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.probes.cam.maps import Array
from audit.probes.gradcam.gallery import enlarged

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
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
    known = torch.from_numpy(_kept(heat, x, rng))[:, None]
    noise = torch.from_numpy(rng.normal(0, NOISE, (len(known), *x.shape)).astype(np.float32))
    images = torch.where(known, x, noise.add_(imputed(x, known))).clamp_(0, 1)
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


def _kept(heat: Array, x: Tensor, rng: np.random.Generator) -> Bools:
    """(N, H, W) pixels that stay: most relevant removed first, then least, at each of REMOVED.

    Pixels of equal relevance go in a random order.
    """
    wide = enlarged(heat, *x.shape[-2:]).ravel()
    drawn, falling = rng.random(wide.size), np.sort(wide)[::-1]
    counts = [round(share * wide.size) for share in REMOVED]
    most = [~_first(wide, falling, drawn, count) for count in counts]
    least = [_first(wide, falling, drawn, wide.size - count) for count in counts]
    return np.stack(most + least).reshape(-1, *x.shape[-2:])


def _first(wide: Array, falling: Array, drawn: Floats, count: int) -> Bools:
    """(n,) which pixels come first as `wide` (n,) falls, `count` of them; of equals the ones that
    were `drawn` lowest. `falling`: `wide` sorted."""
    if count == 0:
        return np.zeros(len(wide), dtype=bool)
    edge = falling[count - 1]
    first = wide > edge
    equal, left = np.flatnonzero(wide == edge), count - np.count_nonzero(first)
    first[equal[np.argpartition(drawn[equal], left - 1)[:left]]] = True
    return np.asarray(first)


def imputed(x: Tensor, known: Tensor) -> Tensor:
    """x (C, H, W) with what is not `known` (N, 1, H, W) as the mean of its eight neighbours.

    (N, C, H, W). Neighbours beside weigh 1/6, across 1/12; a neighbour that is missing too
    counts with what it is imputed as: coarse to fine, relaxed a few times at each size.
    """
    shape = (len(known), *x.shape)
    layers = known.expand(shape).reshape(1, -1, *shape[-2:])
    layers = layers.contiguous(memory_format=torch.channels_last).float()
    return _imputed(layers * x.expand(shape).reshape(layers.shape), layers).reshape(shape)


def _imputed(values: Tensor, known: Tensor) -> Tensor:
    """`values` (1, L, H, W) are 0 where not `known`, which is 1 or 0 and of the same shape.

    (1, L, H, W) in the same layout: the layers innermost in memory.
    """
    if bool(known.min() > 0):
        return values
    if min(values.shape[-2:]) < 2:
        mean = values.mean((2, 3), keepdim=True) / known.mean((2, 3), keepdim=True).clamp(min=1e-9)
        return torch.where(known > 0, values, mean)
    share = F.avg_pool2d(known, 2, ceil_mode=True)
    coarse = F.avg_pool2d(values, 2, ceil_mode=True).div_(share.clamp(min=1e-9))
    below = _imputed(coarse, (share > 0).float()).contiguous().transpose(0, 1)  # (L, 1, h, w)
    found = F.interpolate(below, values.shape[-2:], mode="bilinear").transpose(0, 1)
    found = found.contiguous(memory_format=torch.channels_last)
    missing = 1 - known
    torch.addcmul(values, missing, found, out=found)
    weights = torch.tensor(_WEIGHTS)[None, None]
    inside = F.conv2d(torch.ones_like(values[:, :1]), weights, padding=1)
    # A missing pixel's value is 0, to which its neighbours over their weight are added; over
    # infinity where it is known.
    by = torch.div(inside, missing, out=missing)
    weights = weights.expand(values.shape[1], 1, 3, 3).contiguous()
    for _ in range(_RELAXED):
        mixed = F.conv2d(found, weights, padding=1, groups=len(weights))
        torch.addcdiv(values, mixed, by, out=found)
    return found

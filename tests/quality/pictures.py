"""Sound pictures and their known degradations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

Array = npt.NDArray[np.float32]


def scenes(n: int, side: int, seed: int = 0) -> Array:
    """(n, side, side): bright and dark rounded shapes with sharp edges on a sloping ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    found = []
    for _ in range(n):
        image = 0.3 + 0.3 * x * rng.uniform(0.5, 1) + 0.1 * y
        for _ in range(14):
            cx, cy = rng.uniform(0.05, 0.95, 2)
            a, b = rng.uniform(0.03, 0.2, 2)
            inside = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1
            image = np.where(inside, image + rng.uniform(-0.3, 0.35), image)
        found.append(np.clip(image + rng.normal(0, 0.004, image.shape), 0.02, 0.98))
    return np.stack(found).astype(np.float32)


def as_x(images: npt.ArrayLike) -> Tensor:
    """(n, H, W) -> (n, 1, H, W) in [0, 1]."""
    array = np.clip(np.asarray(images, dtype=np.float32), 0, 1)
    return torch.from_numpy(np.ascontiguousarray(array))[:, None]


def blurred(images: Array, share: float) -> Array:
    """Gaussian blur whose σ is `share` of the side."""
    sigma = share * images.shape[-1]
    return ndimage.gaussian_filter(images, (0, sigma, sigma))


def moved(images: Array, share: float) -> Array:
    """Motion along the rows over `share` of the side."""
    return ndimage.uniform_filter1d(images, int(share * images.shape[-1]) | 1, axis=2)


def flattened(images: Array, factor: float) -> Array:
    """Contrast times `factor` about each image's mean."""
    mean = images.mean((1, 2), keepdims=True)
    return mean + factor * (images - mean)

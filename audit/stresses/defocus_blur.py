"""Defocus blur: the unsharpness of a large focal spot, of distance to the detector, of a lens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from audit.cases.case import Pixels
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities

REACH = 4.0  # standard deviations; what lies further out weighs less than 1e-4
SMALLEST = 0.2  # pixels; below it the neighbours weigh less than 4e-6


def _sigmas(values: Sequence[float]) -> list[float]:
    return severities("sigmas", values, 0.0, 0.2)


@stress(
    "defocus_blur",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_sigmas(p["sigmas"])),
)
def defocus_blur(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    sigmas: Sequence[float] = (0.002, 0.004, 0.008, 0.016, 0.032),
) -> Iterator[Altered]:
    """Each native image convolved with a Gaussian.

    `sigmas`: standard deviations, as parts of the image's height; 10% to 90% of an edge then
    take 2.56 of them. The blur is of displayed pixels, alike in all directions and everywhere;
    what lies beyond the border is taken to continue it. Nothing is drawn.

    Raises HipauditError for a sigma outside [0, 0.2] or not rising.
    """
    nothing = [None] * len(batch.pixels)

    def alter(pixels: Pixels, sigma: float, _: None) -> Pixels:
        return blurred(pixels, sigma * pixels.shape[0])

    yield from per_severity(batch, "sigma", _sigmas(sigmas), nothing, alter)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Pixels (H, W) or (H, W, 3) under a Gaussian of `sigma` pixels."""
    if sigma < SMALLEST:
        return pixels.copy()
    kernel = _gaussian(sigma)
    planes = [pixels] if pixels.ndim == 2 else list(np.moveaxis(pixels, 2, 0))
    done = [_turned(_down_columns(_down_columns(plane, kernel).T, kernel)) for plane in planes]
    image = done[0] if pixels.ndim == 2 else np.stack(done, axis=2)
    return np.clip(image, 0.0, 1.0)


def _turned(plane: Pixels) -> Pixels:
    """The transpose, laid out anew: by PyTorch, in a third of NumPy's time."""
    turned: Pixels = torch.from_numpy(plane).t().contiguous().numpy()
    return turned


def _gaussian(sigma: float) -> Pixels:
    reach = int(REACH * sigma + 0.5)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.asarray(bell / bell.sum(), dtype=np.float32)


def _down_columns(plane: Pixels, kernel: Pixels) -> Pixels:
    """(H, W) convolved along H: products with a banded matrix, block by block.

    Several times as fast as one multiplication per tap, and its time hardly grows with sigma.
    """
    reach = len(kernel) // 2
    size = min(len(plane), max(32, reach))
    band = np.zeros((size, size + 2 * reach), dtype=np.float32)
    for row in range(size):
        band[row, row : row + len(kernel)] = kernel
    padded = np.pad(plane, ((reach, reach), (0, 0)), mode="edge")
    out = np.empty(plane.shape, dtype=np.float32)
    for top in range(0, len(plane), size):
        rows = min(size, len(plane) - top)
        seen = rows + 2 * reach
        np.matmul(band[:rows, :seen], padded[top : top + seen], out=out[top : top + rows])
    return out

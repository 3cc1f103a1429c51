"""Native images through a corruption, as the engine would give them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from audit.draws import generator
from audit.results import Scalar
from audit.stresses.registry import Batch, get_stress


def levels_of(
    name: str, pixels: Sequence[np.ndarray], **params: object
) -> list[tuple[Scalar | None, list[np.ndarray]]]:
    """(severity or None, images) of every yield; case i draws from a generator of its own."""
    n = len(pixels)
    rngs = [generator(1, f"case {i}", name) for i in range(n)]
    labels = torch.zeros(n, dtype=torch.long)
    batch = Batch(torch.zeros(n, 1, 4, 4), labels, rngs, list(pixels))
    return [
        (next(iter(altered.variant.values()), None), list(altered.images))
        for altered in get_stress(name).perturb(None, batch, **params)
    ]


def in_colour(grey: np.ndarray) -> np.ndarray:
    """A grey radiograph stored as RGB."""
    return np.repeat(grey[:, :, None], 3, axis=2)

"""PGD: projected gradient ascent inside the ε-ball, with random restarts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from audit.stresses.art_bridge import projected_gradient
from audit.stresses.radii import at_least, positive, radii
from audit.stresses.registry import Altered, Attackable, Batch, stress


@stress(
    "pgd",
    kind="attack",
    norm="linf",
    needs_gradients=True,
    budget=lambda _, variant: float(variant["epsilon"]),
    through="ART",
    cost=lambda p: len(radii(p["epsilons"])) * (1.0 + p["restarts"] * (3 * p["steps"] + 1)),
)
def pgd(
    model: Attackable,
    batch: Batch,
    *,
    epsilons: Sequence[float] = (1 / 255, 2 / 255, 4 / 255, 8 / 255),
    steps: int = 20,
    restarts: int = 1,
    travel: float = 2.5,
) -> Iterator[Altered]:
    """`steps` signed-gradient steps of size travel·ε/steps, projected on the ε-ball around x.

    Each restart begins at a point uniform in the ball, drawn from the case's own generator; a
    case takes the first restart that fools, else the last. Source: Madry et al. 2018,
    arXiv:1706.06083; run in ART's `ProjectedGradientDescentPyTorch`.
    """
    at_least(1, steps=steps, restarts=restarts)
    positive(travel=travel)
    for epsilon in radii(epsilons):
        images = batch.x.clone()
        left = np.arange(len(images))
        spent = np.zeros(len(images), dtype=int)
        for _ in range(restarts):
            x, y = batch.x[left], batch.y[left]
            start = _random_start(x, epsilon, [batch.rngs[int(row)] for row in left])
            step = travel * epsilon / steps
            images[left] = projected_gradient(model, x, y, start, epsilon, step, steps)
            spent[left] += steps
            if restarts == 1:
                break
            spent[left] += 1
            left = left[_still_right(model, images[left], y)]
            if not len(left):
                break
        yield Altered({"epsilon": epsilon}, images, queries=spent.tolist())


def _random_start(x: Tensor, epsilon: float, rngs: Sequence[np.random.Generator]) -> Tensor:
    """x plus noise uniform in [-ε, ε], kept in [0, 1]."""
    noise = np.stack([rng.uniform(-epsilon, epsilon, x.shape[1:]) for rng in rngs])
    return (x + torch.from_numpy(noise.astype(np.float32))).clamp(0.0, 1.0)


def _still_right(model: Attackable, images: Tensor, y: Tensor) -> np.ndarray:
    with torch.no_grad():
        return (model.decision_logits(images).argmax(1).cpu() == y).numpy()

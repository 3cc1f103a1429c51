"""Randomised smoothing with one fixed bank of noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from audit.classifier import Classifier
from audit.defences.averaging import average
from audit.defences.registry import defence
from audit.defences.telling import defended
from audit.draws import generator
from audit.stresses.radii import at_least, positive


def _count(params: dict[str, Any]) -> float:
    return float(params["n"])


@defence("randomised-smoothing", cost=_count)
def randomised_smoothing(
    classifier: Classifier, *, sigma: float = 0.1, n: int = 8, seed: int = 0
) -> Classifier:
    """Averages softmax over `n` copies of the image, each with Gaussian noise of `sigma` added.

    The noise is one fixed bank, drawn once from `seed` and the same for every image, so the
    same image always gets the same answer; noise on a grey image is grey. Nothing is clipped
    after adding noise. The attack knows the bank: its gradient is the exact average over the
    very copies that decide, which is stronger than averaging over fresh draws.

    A network that was not trained with noise loses accuracy to it; the clean cost says how
    much. No radius is computed: a statement of that kind needs fresh noise, many copies and a
    test per image.

    Sources: Cohen et al. 2019, arXiv:1902.02918 (votes over noise); Salman et al. 2019,
    arXiv:1906.04584 (the mean of softmax, which has a gradient).
    """
    positive(sigma=sigma)
    at_least(1, n=n)
    at_least(0, seed=seed)
    kept: dict[tuple[int, ...], Tensor] = {}

    def bank(x: Tensor) -> Tensor:
        shape = tuple(x.shape[1:])
        if shape not in kept:
            kept[shape] = noise(shape, sigma, n, seed).to(classifier.device)
        return kept[shape].to(x.dtype)

    def forward(x: Tensor) -> Tensor:
        x = x.to(classifier.device)
        return average(classifier, (copy + x for copy in bank(x)))

    text = (
        f"Randomised smoothing averages {n} copies with Gaussian noise of standard deviation "
        f"{sigma:g} (bank {seed})."
    )
    return defended(classifier, forward, "randomised-smoothing.bank", text)


def noise(shape: tuple[int, ...], sigma: float, n: int, seed: int) -> Tensor:
    """The bank (n, C, H, W), float32: a function of these four alone, drawn on the CPU."""
    place = "x".join(map(str, shape))
    drawn = generator(seed, "randomised-smoothing", place).standard_normal(
        (n, *shape), dtype=np.float32
    )
    return torch.from_numpy(drawn * np.float32(sigma))

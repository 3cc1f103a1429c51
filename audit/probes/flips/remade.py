"""The altered images of one case, made anew: an audit keeps decisions, not images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor

from audit.cases.case import Case
from audit.classifier import Classifier
from audit.draws import generator
from audit.probes.flips.choice import Fallen, OnePixel
from audit.results import Scalar
from audit.stresses.contract import check_altered
from audit.stresses.registry import Batch, get_stress

MOST_LEVELS = 8
CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class Level:
    """What the untouched model says of the image `x` (C, H, W) at `epsilon` (0: unaltered).

    `probability` of the predicted class, `score` of the positive one; -1 and 0 where the model
    gave no number.
    """

    epsilon: float
    x: Tensor
    predicted: int
    probability: float
    score: float


def series(classifier: Classifier, case: Case, one: Fallen, seed: int) -> list[Level]:
    """The image itself and altered at every ε of the run (at most `MOST_LEVELS`).

    By the same stress with the same draws as in the run, on the untouched network: where a
    search network found the image, or another batch, the last digit of a gradient may differ.
    """
    x = classifier.prepare(case)
    stress = get_stress(one.run.run.stress)
    params = stress.check(one.run.run.params)
    rng = generator(seed, case.id, f"stress:{stress.name}")
    batch = Batch(x[None].clone(), classifier.targets([case]), [rng])
    made: dict[float, Tensor] = {}
    for altered in stress.perturb(classifier, batch, **params):
        images = cast(Tensor, altered.images)  # gradients are of the prepared input
        check_altered(stress, params, altered, images, batch.x)
        made[float(altered.variant["epsilon"])] = images[0].detach().cpu()
    kept = thinned(sorted(made), one.epsilon)
    return looked_at(classifier, [(0.0, x), *((epsilon, made[epsilon]) for epsilon in kept)])


def thinned(epsilons: Sequence[float], kept: float, most: int = MOST_LEVELS) -> list[float]:
    """At most `most` of the levels: the first, the last, `kept` and others evenly between.

    >>> thinned([1, 2, 3, 4, 5], 4, 3)
    [1, 4, 5]
    """
    if len(epsilons) <= most:
        return list(epsilons)
    even = np.linspace(0, len(epsilons) - 1, most - 1).round().astype(int)
    return sorted({epsilons[place] for place in even} | {kept})


def looked_at(classifier: Classifier, images: Sequence[tuple[float, Tensor]]) -> list[Level]:
    """One forward per image (ε, (C, H, W))."""
    logits = classifier.predict(torch.stack([x for _, x in images])).logits
    said = classifier.decide(logits)
    chances = np.nan_to_num(np.exp(log_softmax(logits.double().numpy(), axis=1)))
    positive = classifier.decision.positive
    return [
        Level(epsilon, x, int(k), float(row[k]) if k >= 0 else 0.0, float(row[positive]))
        for (epsilon, x), k, row in zip(images, said, chances, strict=True)
    ]


def with_pixel(x: Tensor, found: OnePixel) -> tuple[Tensor, int, int]:
    """x (C, H, W) with the pixel that was found, and its column and row."""
    column, row = int(found.found["x"]), int(found.found["y"])
    made = x.clone()
    made[:, row, column] = torch.tensor(values(found.found), dtype=x.dtype)
    return made, column, row


def values(found: Mapping[str, Scalar]) -> list[float]:
    """Grey level in [0, 1], or red, green and blue, of a pixel that a search found."""
    names = ["value"] if "value" in found else CHANNELS
    return [float(found[name]) for name in names]

"""What every stress promises, checked on a small classifier; used by test_contract.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.draws import generator
from audit.results import ModelDescription, Preparation
from audit.stresses.registry import Altered, Batch, Stress, variant_key

N, SIDE = 6, 24
Seen = dict[tuple[int, str, int], tuple[np.ndarray, Mapping[str, Any]]]


def small_classifier() -> tuple[Classifier, Tensor, Tensor]:
    """Batch norm and dropout inside, so that a disturbed mode shows; (classifier, x, its y).

    x (6, 1, 24, 24): half is decided each way, two of them close to the boundary.
    """
    with torch.random.fork_rng():
        torch.manual_seed(3)
        net = nn.Sequential(
            nn.Conv2d(3, 6, 5, stride=2),
            nn.BatchNorm2d(6),
            nn.Tanh(),
            nn.Dropout(0.5),
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(54, 2),
        ).eval()
        x = torch.nn.functional.avg_pool2d(torch.rand(N, 1, SIDE + 2, SIDE + 2), 3, 1)
    description = ModelDescription(
        name="small",
        architecture="small",
        classes=("normal", "fracture"),
        positive_class="fracture",
        preparation=Preparation(height=SIDE, width=SIDE),
    )
    classifier = Classifier(net, description)
    with torch.no_grad():
        z = classifier.logits(x)
        margins = (z[:, 1] - z[:, 0]).sort().values
        net[-1].bias[0] += margins[N // 2 - 1 : N // 2 + 1].mean()
    return classifier, x, classifier.decision_logits(x).argmax(1)


def batch_of(x: Tensor, y: Tensor, rows: Sequence[int], name: str) -> Batch:
    """The cases of `rows`, each with its own generator and its native image."""
    picked = list(rows)
    native = [
        image[0].numpy() if len(image) == 1 else image.permute(1, 2, 0).numpy() for image in x
    ]
    return Batch(
        x=x[picked].clone(),
        y=y[picked],
        rngs=[generator(0, f"case {row}", name) for row in picked],
        pixels=[native[row].copy() for row in picked],
    )


def run(
    stress: Stress, params: Mapping[str, Any], classifier: Classifier, batch: Batch
) -> list[Altered]:
    """All yields, with the engine's part played: a search learns which cases are fooled."""
    found = []
    for altered in stress.perturb(classifier, batch, **params):
        found.append(altered)
        if stress.variants == "search":
            rows = rows_of(altered, batch)
            said = classifier.decide(classifier.predict(stacked(altered)).logits)
            batch.open[np.array(rows)[said != batch.y[rows].numpy()]] = False
    return found


def rows_of(altered: Altered, batch: Batch) -> list[int]:
    return list(range(len(batch.x))) if altered.rows is None else [int(r) for r in altered.rows]


def stacked(altered: Altered) -> Tensor:
    """(M, C, H, W), native arrays included."""
    if isinstance(altered.images, Tensor):
        return altered.images
    arrays = [torch.from_numpy(a) for a in altered.images]
    return torch.stack([a[None] if a.ndim == 2 else a.permute(2, 0, 1) for a in arrays])


def in_parts(stress: Stress, params: Mapping[str, Any], size: int) -> Seen:
    """(case, variant, how many times before) -> (image, found) when given `size` at a time."""
    classifier, x, y = small_classifier()
    seen: Seen = {}
    for first in range(0, N, size):
        members = range(first, min(N, first + size))
        batch = batch_of(x, y, members, stress.name)
        for altered in run(stress, params, classifier, batch):
            images = stacked(altered)
            for place, row in enumerate(rows_of(altered, batch)):
                key, again = variant_key(altered.variant), 0
                while (members[row], key, again) in seen:
                    again += 1
                told = altered.found[place] if altered.found else {}
                seen[members[row], key, again] = (images[place].numpy().copy(), dict(told))
    return seen

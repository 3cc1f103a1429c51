"""A stress of your own in one file: define it, audit with it, hand it to ART.

Run it: python examples/custom_stress.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from audit.classifier import Classifier
from audit.draws import generator
from audit.results import ModelDescription, Preparation
from audit.stresses.art_bridge import as_evasion_attack, estimator
from audit.stresses.registry import Altered, Attackable, Batch, get_stress, stress


@stress(
    "wire",
    kind="attack",
    norm="linf",
    budget=lambda _, variant: float(variant["brightness"]),
    cost=lambda p: len(p["brightness"]),
)
def wire(
    _model: Attackable,  # this one does not look at the model
    batch: Batch,
    *,
    brightness: Sequence[float] = (0.1, 0.2, 0.4),
) -> Iterator[Altered]:
    """A thin bright vertical wire over the image, as an ECG lead would leave one.

    `brightness` in [0, 1] pixels is added along one column, drawn once per case.
    """
    columns = [int(rng.integers(batch.x.shape[-1])) for rng in batch.rngs]
    for amount in brightness:
        images = batch.x.clone()
        for image, column in zip(images, columns, strict=True):
            image[:, :, column] += amount
        found = [{"column": column} for column in columns]
        yield Altered({"brightness": amount}, images.clamp(0, 1), found=found)


class BrightestColumn(nn.Module):
    """A toy: says "fracture" when no column is much brighter than the average one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        columns = x.mean((1, 2))
        excess = columns.amax(1) - columns.mean(1)
        return torch.stack([excess - 0.15, 0.15 - excess], dim=1)


def toy() -> Classifier:
    description = ModelDescription(
        name="toy",
        architecture="BrightestColumn",
        classes=("normal", "fracture"),
        positive_class="fracture",
        preparation=Preparation(height=32, width=32, channels=1, mean=(0.0,), std=(1.0,)),
    )
    return Classifier(BrightestColumn(), description)


def robust_accuracy(classifier: Classifier, x: torch.Tensor, y: torch.Tensor) -> dict[float, float]:
    """Share still decided correctly at each brightness, through the registry."""
    chosen = get_stress("wire")
    rngs = [generator(0, f"case {i}", "wire") for i in range(len(x))]
    shares = {}
    for altered in chosen.perturb(classifier, Batch(x, y, rngs), **chosen.defaults):
        right = classifier.decide(classifier.predict(altered.images).logits) == y.numpy()
        shares[float(altered.variant["brightness"])] = float(right.mean())
    return shares


def through_art(classifier: Classifier, x: torch.Tensor, y: torch.Tensor) -> float:
    """The same stress as an ART `EvasionAttack`; any ART `PyTorchClassifier` will do."""
    target = estimator(classifier, x.shape[1:])
    altered = as_evasion_attack("wire", target).generate(x.numpy(), y.numpy())
    return float(np.mean(target.predict(altered).argmax(axis=1) == y.numpy()))


def main() -> None:
    classifier = toy()
    levels = torch.linspace(0.1, 0.9, 8).view(8, 1, 1, 1)  # from dark to bright images
    x = levels * torch.from_numpy(generator(0, "images").random((8, 1, 32, 32), dtype=np.float32))
    y = torch.from_numpy(classifier.decide(classifier.predict(x).logits))
    for brightness, share in robust_accuracy(classifier, x, y).items():
        print(f"wire of brightness {brightness:g}: {share:.0%} still right")
    print(f"through ART, worst of all three: {through_art(classifier, x, y):.0%} still right")


if __name__ == "__main__":
    main()

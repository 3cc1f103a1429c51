"""Attacks of hipaudit on a classifier that lives in ART, colour images and three classes.

Run it: python examples/art_attack.py
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from art.estimators.classification import PyTorchClassifier
from torch import nn

from audit.errors import HipauditError
from audit.stresses.art_bridge import as_evasion_attack

SIDE = 16
Images = npt.NDArray[np.float32]


class BrightestColour(nn.Module):
    """A toy: red, green or blue, whichever is brightest in the middle of the image."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 20 * x[:, :, 4:12, 4:12].mean((2, 3))


def own_classifier(**changes: object) -> PyTorchClassifier:
    """Somebody's own ART classifier: clip_values (0, 1), channels first."""
    return PyTorchClassifier(
        model=BrightestColour(),
        loss=nn.CrossEntropyLoss(),
        input_shape=(3, SIDE, SIDE),
        nb_classes=3,
        **{"clip_values": (0.0, 1.0), "device_type": "cpu", **changes},
    )


def images(n: int = 12) -> tuple[Images, npt.NDArray[np.int64]]:
    """(n, 3, SIDE, SIDE) in [0, 1], one colour a little brighter in each; which one (n,)."""
    x = np.random.default_rng(0).uniform(0.3, 0.5, (n, 3, SIDE, SIDE)).astype(np.float32)
    y = np.arange(n) % 3
    x[np.arange(n), y] += np.linspace(0.01, 0.08, n, dtype=np.float32)[:, None, None]
    return x, y


def robust_accuracy(target: PyTorchClassifier, name: str, **params: object) -> float:
    """Share still decided rightly; `generate` returns per image the first candidate that fools."""
    x, y = images()
    altered = as_evasion_attack(name, target, **params).generate(x, y)
    return float(np.mean(target.predict(altered).argmax(axis=1) == y))


def main() -> None:
    target = own_classifier()
    x, y = images()
    clean = float(np.mean(target.predict(x).argmax(axis=1) == y))
    print(f"without an attack: {clean:.0%} right")
    print(f"pgd, 4/255: {robust_accuracy(target, 'pgd', epsilons=(4 / 255,)):.0%} right")
    few = {"epsilons": (8 / 255,), "queries": 100}
    print(f"square, 8/255: {robust_accuracy(target, 'square', **few):.0%} right")
    print(f"rotation_translation: {robust_accuracy(target, 'rotation_translation', k=5):.0%} right")
    try:
        as_evasion_attack("pgd", own_classifier(channels_first=False))
    except HipauditError as error:
        print(error)


if __name__ == "__main__":
    main()

"""Models and data without a flaw: whatever the audit says against one of these is a false alarm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.results import Results
from tests.planted.models import Reader, classifier_of
from tests.planted.planting import Sound, audited
from tests.planted.scenes import (
    calibrated,
    cases_of,
    named,
    pictures,
    plain_cases,
    sound_cases,
    tossed,
)
from tests.probes import explained_models as explained
from tests.probes import masked_models as masked

EPSILONS = (0.005, 0.01, 0.02)
STRESSED = {
    "fgsm": {"epsilons": EPSILONS},
    "pgd": {"epsilons": EPSILONS, "steps": 5, "restarts": 1},
    "square": {"epsilons": (0.02,), "queries": 30},
    "quantum_noise": {"doses": (0.5, 0.1, 0.02)},
    "jpeg_quality": {"qualities": (90, 50, 10)},
}
ATTACKS = ("fgsm", "pgd", "square")
CORRUPTIONS = ("quantum_noise", "jpeg_quality")
Audit = Callable[[Path], Results]


def reader(cases: Callable[[], Cases], *stresses: str, **options: Any) -> Audit:
    """The calibrated reader under every probe."""
    return _all_probes(lambda: classifier_of(Reader()), cases, *stresses, **options)


def _all_probes(
    model: Callable[[], Classifier], cases: Callable[[], Cases], *stresses: str, **options: Any
) -> Audit:
    return audited(model, cases, *stresses, **{"probes": None, "params": STRESSED, **options})


def halved(labels: np.ndarray, seed: int) -> np.ndarray:
    """(N,) half of each label, drawn."""
    rng, found = np.random.default_rng(seed), np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        found[rng.permutation(members)[: len(members) // 2]] = True
    return found


def trained_cases(n: int = 160) -> Cases:
    images, labels = masked.scenes(n, seed=1)
    # Tossed freely, view went with the label by chance (p = .002), which the audit rightly said.
    lateral, second = halved(labels, 21), halved(labels, 22)
    attributes = {
        "view": named(lateral, "lateral", "frontal"),
        "scanner": named(second, "B", "A"),
    }
    return cases_of(images, labels == 1, attributes)


def trained() -> Classifier:
    return masked.classifier_of(masked.trained())


class Normalised(nn.Module):
    """The reader behind a BatchNorm that was never put into evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1, affine=False)
        self.reader = Reader()
        self.train()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.reader(self.norm(x))


def many_attributes() -> Cases:
    """Twelve attributes of two to five values, none of which means anything."""
    odds, truth = calibrated()
    draw = np.random.default_rng(31)
    names = {f"attribute{k}": draw.integers(0, 2 + k % 4, len(odds)).astype(str) for k in range(12)}
    return cases_of(pictures(odds, seed=8), truth, names)


def small() -> Cases:
    odds, truth = calibrated(copies=20, levels=(0.05, 0.95))
    return cases_of(pictures(odds, seed=9), truth, {"view": named(tossed(40, 41), "L", "F")})


def two_views() -> Cases:
    """Two pictures of each patient: one frontal, one lateral, the same truth."""
    odds, truth = calibrated(copies=20)
    odds, truth = np.repeat(odds, 2), np.repeat(truth, 2)
    lateral = np.arange(len(odds)) % 2 == 1
    images = pictures(odds, seed=10, view=lateral)
    names = {"view": named(lateral, "lateral", "frontal")}
    return cases_of(images, truth, names, patients=np.arange(len(odds)) // 2)


def rare() -> Cases:
    """A screening set: 37 of 400 are fractures."""
    odds, truth = calibrated((0.01, 0.02, 0.05, 0.1, 0.75), 100)
    odds, truth = odds[100:], truth[100:]
    return cases_of(pictures(odds, seed=11), truth, {"sex": named(tossed(400, 51), "F", "M")})


def weak() -> Cases:
    """Honest about knowing little: every score between 30% and 70%, and as often right."""
    odds, truth = calibrated((0.3, 0.4, 0.6, 0.7), 60)
    return cases_of(pictures(odds, seed=12), truth, {"sex": named(tossed(240, 61), "F", "M")})


def own_training() -> Cases:
    """Other patients than those audited, of the same kind."""
    return plain_cases(seed=99)


SOUND = (
    Sound(
        "calibrated reader",
        "reads the lesion; view, sex and scanner mean nothing",
        reader(sound_cases),
    ),
    Sound(
        "calibrated reader under stress",
        "the same under three attacks and two corruptions",
        reader(sound_cases, *ATTACKS, *CORRUPTIONS),
        slow=True,
    ),
    Sound(
        "under augmentation",
        "the same with test-time augmentation",
        reader(sound_cases, "pgd", defences=("none", "tta")),
        slow=True,
    ),
    Sound("trained network", "a small network fitted to the lesion",
          _all_probes(trained, trained_cases, "pgd", *CORRUPTIONS),
          missing="fitted to few pictures, it is not calibrated, and the audit says so"),
    Sound("BatchNorm in training mode", "set right by the audit, which evaluates",
          _all_probes(lambda: classifier_of(Normalised()), sound_cases), slow=True),
    Sound("many attributes", "twelve attributes without meaning",
          reader(many_attributes), slow=True),
    Sound("few cases", "40 cases, half of them fractures", reader(small)),
    Sound("two pictures per patient", "frontal and lateral of each", reader(two_views), slow=True),
    Sound("rare fractures", "37 of 400", reader(rare)),
    Sound("weak but honest", "AUROC about .65, and says so", reader(weak), slow=True),
    Sound("separate training data", "no patient or picture in common",
          reader(plain_cases, train=own_training), slow=True),
    Sound("a network with honest maps", "its heat maps depend on what it learnt",
          _all_probes(lambda: explained.classifier_of(explained.trained(epochs=20)),
                      lambda: explained.cases(24), probes=("explanations", "gradcam")), slow=True),
)  # fmt: skip

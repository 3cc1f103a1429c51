"""torchattacks 3.5.1, where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.peers.arm import Arm, Found
from benchmarks.peers.art_arms import np_seeded
from benchmarks.peers.subject import Subject

ABSENT = "torchattacks: not installed (make bench installs it)"


def installed() -> bool:
    return importlib.util.find_spec("torchattacks") is not None


def fgsm(subject: Subject, radii: Sequence[float], images: int) -> Arm:
    import torchattacks

    x, y = subject.x[:images], subject.y[:images]

    def run() -> Found:
        fooled = np.zeros(images, dtype=bool)
        for radius in radii:
            made = attacking(torchattacks.FGSM(subject.peer, eps=radius), x, y)
            fooled |= subject.fooled(made)
        return Found(fooled, images * len(radii))

    return Arm("torchattacks", run, images)


def one_pixel(subject: Subject, population: int, generations: int, images: int) -> Arm:
    """Its default is 10 members for 10 steps; the budget is raised to what the others have."""
    import torchattacks

    x, y = subject.x[:images], subject.y[:images]

    def run() -> Found:
        attack = torchattacks.OnePixel(
            subject.peer, pixels=1, steps=generations - 1, popsize=population
        )
        with np_seeded(0):
            made = attacking(attack, x, y)
        return Found(subject.fooled(made))

    return Arm("torchattacks", run, images, f"{population} members")


def attacking(attack: Any, x: Any, y: Any) -> Any:
    return attack(x, y).detach().cpu()

"""Foolbox 3.3.4, on batches and tensors as it is meant to be used."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from benchmarks.peers.arm import Arm, Found
from benchmarks.peers.subject import Subject

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its import of scipy's old names
    import foolbox


def fgsm(subject: Subject, radii: Sequence[float], images: int) -> Arm:
    model = foolbox.PyTorchModel(subject.peer, bounds=(0, 1), device=subject.device)
    x, y = subject.x[:images].to(subject.device), subject.y[:images].to(subject.device)

    def run() -> Found:
        attack = foolbox.attacks.LinfFastGradientAttack()
        _, made, _ = attack(model, x, y, epsilons=list(radii))
        fooled = np.zeros(images, dtype=bool)
        for one in made:
            fooled |= subject.fooled(one)
        return Found(fooled, images * len(radii))

    return Arm("foolbox", run, images)


def spatial(
    subject: Subject, angles: int, shifts: int, degrees: float, part: float, images: int
) -> Arm:
    """It stops once everything is fooled, but asks about fooled images until then."""
    model = foolbox.PyTorchModel(subject.peer, bounds=(0, 1), device=subject.device)
    x, y = subject.x[:images].to(subject.device), subject.y[:images].to(subject.device)

    def run() -> Found:
        attack = foolbox.attacks.SpatialAttack(
            max_translation=int(part * x.shape[-1]),
            max_rotation=degrees,
            num_translations=shifts,
            num_rotations=angles,
        )
        _, _, success = attack(model, x, foolbox.criteria.Misclassification(y))
        return Found(success.cpu().numpy())

    return Arm("foolbox", run, images, "its last look is the verification")

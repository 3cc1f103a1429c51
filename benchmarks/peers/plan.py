"""What is compared on which network, on how many images: sizes follow the cost of a forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.peers import art_arms, foolbox_arms, torchattacks_arms
from benchmarks.peers.arm import Arm
from benchmarks.peers.ours import ours
from benchmarks.peers.subject import Subject

RADII = tuple(level / 255 for level in range(1, 9))
DEGREES, PART = 30.0, 0.1
CASES = ("fgsm, 1 radius", "fgsm, 8 radii", "spatial", "one pixel", "one pixel, success")


@dataclass(frozen=True)
class Sizes:
    """Images per case; `slow`: images that ART's spatial attack is given; the grid is
    angles × shifts²; `population` × `generations` candidates per image."""

    fgsm: int = 16
    spatial: int = 8
    slow: int = 1
    angles: int = 3
    shifts: int = 3
    pixel: int = 1
    population: int = 48
    generations: int = 4
    success: int = 8

    @property
    def cells(self) -> int:
        return self.angles * self.shifts**2

    @property
    def budget(self) -> int:
        return self.population * self.generations


# So that the four networks together take about an hour of two cores.
SIZES = {
    "squeezenet1_1": Sizes(fgsm=16, spatial=16, pixel=4, generations=8, success=16),
    "alexnet": Sizes(fgsm=16, spatial=16, pixel=4, generations=8, success=16),
    "resnet50": Sizes(fgsm=8, spatial=4, success=4),
    "densenet121": Sizes(fgsm=8, spatial=4, success=4),
    "vgg19": Sizes(fgsm=4, spatial=2, generations=2, success=3),
}
QUICK = Sizes(fgsm=4, spatial=2, shifts=2, pixel=1, population=24, generations=2, success=2)
ON_GPU = Sizes(fgsm=128, spatial=64, pixel=4, population=99, generations=4, success=32)


def sizes_of(network: str, device: str, *, quick: bool, images: int | None) -> Sizes:
    found = ON_GPU if device.startswith("cuda") else SIZES.get(network, Sizes())
    found = QUICK if quick else found
    return found if images is None else replace(found, fgsm=images, spatial=images, success=images)


def arms_of(case: str, subject: Subject, sizes: Sizes) -> list[Arm]:
    """Every arm of a case; torchattacks only where it is installed."""
    if case.startswith("fgsm"):
        return _fgsm(subject, RADII[1:2] if "1 radius" in case else RADII, sizes.fgsm)
    if case == "spatial":
        return _spatial(subject, sizes)
    if case == "one pixel":
        return _one_pixel(subject, sizes, sizes.pixel)
    return _one_pixel(subject.nearest(sizes.success), sizes, sizes.success)


def _fgsm(subject: Subject, radii: Sequence[float], images: int) -> list[Arm]:
    found = ours(subject, "fgsm", {"epsilons": radii}, images)
    found += art_arms.fgsm(subject, radii, images)
    found.append(foolbox_arms.fgsm(subject, radii, images))
    if torchattacks_arms.installed():
        found.append(torchattacks_arms.fgsm(subject, radii, images))
    return found


def _spatial(subject: Subject, sizes: Sizes) -> list[Arm]:
    grid = {"mode": "grid", "angles": sizes.angles, "shifts": sizes.shifts}
    limits = {"max_angle": DEGREES, "max_shift": PART}
    found = ours(subject, "rotation_translation", {**grid, **limits}, sizes.spatial)
    how = (sizes.angles, sizes.shifts, DEGREES, PART)
    found.append(foolbox_arms.spatial(subject, *how, sizes.spatial))
    return found + art_arms.spatial(subject, *how, sizes.slow)


def _one_pixel(subject: Subject, sizes: Sizes, images: int) -> list[Arm]:
    budget = {"population": sizes.population, "queries": sizes.budget}
    found = ours(subject, "one_pixel", budget, images)
    found.append(art_arms.one_pixel(subject, sizes.population, sizes.generations, images))
    if torchattacks_arms.installed():
        found.append(
            torchattacks_arms.one_pixel(subject, sizes.population, sizes.generations, images)
        )
    return found

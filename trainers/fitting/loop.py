"""Training a network in place: what a fit, a hardening and a cascade's links have in common."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from torch import nn

from audit.cases.case import Cases
from audit.results import Preparation
from trainers.adversarial.judge import judge_of
from trainers.fitting.checks import check_splits
from trainers.fitting.course import Course, Judge
from trainers.fitting.log import TrainingLog
from trainers.fitting.material import Material
from trainers.fitting.state import identity
from trainers.fitting.steps import Steps
from trainers.fitting.team import join_team
from trainers.pixels.cache import forget_pixels
from trainers.progress import Progress, Quiet
from trainers.recipe import Recipe

PRIVATE = "private"  # where decoded images lie while a training lasts


def train_module(
    module: nn.Module,
    recipe: Recipe,
    train: Cases,
    val: Cases,
    *,
    classes: tuple[str, ...],
    positive_class: str,
    way: Preparation,
    folder: Path | None = None,
    pixels: Path | None = None,
    device: str = "cpu",
    max_seconds: float | None = None,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> TrainingLog:
    """Train `module` in place by `recipe`; it ends with the best weights, in eval mode.

    `folder`: keeps the state after every epoch and a log; the same call with the same module,
    recipe and images goes on from there, and one that had ended answers at once. `pixels`: a
    private folder of decoded images, which several trainings can share; without it they lie in
    `folder` while the training lasts. Started by torchrun, the processes train one network.
    `max_seconds` ends after the epoch in which it passes; the log then says "time".
    `judge`: gives the value early stopping watches (higher is better) in place of the recipe's
    metric; a recipe with adversarial examples brings one, the mean of clean and PGD accuracy.
    Raises HipauditError for splits it cannot be fitted to, a folder with another
    training, a disk that is full, or a loss that is not finite; the module then has the best
    weights so far.
    """
    course = course_of(
        module, recipe, train, val, classes=classes, positive_class=positive_class, way=way,
        folder=folder, pixels=pixels, device=device, progress=progress, judge=judge,
    )  # fmt: skip
    log = course.run(max_seconds)
    tidy(course, log)
    return log


def tidy(course: Course, log: TrainingLog) -> None:
    """Decoded images that belong to this training alone go when it is over."""
    own = course.folder is not None and course.steps.material.pixels == course.folder / PRIVATE
    if own and course.folder is not None and log.ended != "time" and course.steps.team.rank == 0:
        forget_pixels(course.folder / PRIVATE)


def course_of(
    module: nn.Module,
    recipe: Recipe,
    train: Cases,
    val: Cases,
    *,
    classes: tuple[str, ...],
    positive_class: str,
    way: Preparation,
    folder: Path | None = None,
    pixels: Path | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> Course:
    """A training about to begin: splits checked, decoded and labelled. See `train_module`."""
    check_splits(train, val, classes, positive_class, recipe.batch_size)
    team = join_team(device)
    told = progress if progress is not None and team.rank == 0 else Quiet()
    if pixels is None and folder is not None:
        pixels = folder / PRIVATE
    material = Material(
        train, val, classes, classes.index(positive_class), recipe, way, team, pixels, told
    )
    judge = judge or judge_of(recipe, val, way, classes, None if team.rank else folder, told)
    key = identity(module, recipe, train, val, classes) if folder else {}
    steps = Steps(module.to(team.device), material, recipe, way)
    return Course(steps, told, folder, key, judge, _counts(train), _counts(val))


def _counts(cases: Cases) -> dict[str, int]:
    return dict(sorted(Counter(case.label for case in cases).items()))

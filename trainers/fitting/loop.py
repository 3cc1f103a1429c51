"""Training a network in place: what a fit, a hardening and a cascade's links have in common."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import torch
from torch import nn

from audit.cases.case import Cases
from audit.results import Preparation
from trainers.fitting.checks import check_splits
from trainers.fitting.course import Course, Judge
from trainers.fitting.log import TrainingLog
from trainers.fitting.state import identity
from trainers.fitting.steps import Material, Steps
from trainers.pixels.load import load_pixels, load_targets
from trainers.progress import Progress, Quiet
from trainers.recipe import Recipe


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
    device: str = "cpu",
    max_seconds: float | None = None,
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> TrainingLog:
    """Train `module` in place by `recipe`; it ends with the best weights, in eval mode.

    `folder`: keeps the state after every epoch and a log; the same call with the same module,
    recipe and images goes on from there, and one that had ended answers at once.
    `max_seconds` ends after the epoch in which it passes; the log then says "time".
    `judge`: gives the value early stopping watches (higher is better) in place of the recipe's
    metric. Raises HipauditError for splits it cannot be fitted to, a folder with another
    training, a disk that is full, or a loss that is not finite; the module then has the best
    weights so far.
    """
    course = course_of(
        module, recipe, train, val, classes=classes, positive_class=positive_class, way=way,
        folder=folder, device=device, progress=progress, judge=judge,
    )  # fmt: skip
    return course.run(max_seconds)


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
    device: str = "cpu",
    progress: Progress | None = None,
    judge: Judge | None = None,
) -> Course:
    """A training about to begin: splits checked, decoded and labelled. See `train_module`."""
    check_splits(train, val, classes, positive_class, recipe.batch_size)
    material = Material(
        x=load_pixels(train, way),
        y=load_targets(train, classes),
        val_x=load_pixels(val, way),
        val_y=load_targets(val, classes),
        classes=len(classes),
        positive=classes.index(positive_class),
    )
    key = identity(module, recipe, train, val, classes) if folder else {}
    place = torch.device(device)
    steps = Steps(module.to(place), material, recipe, way, place)
    return Course(steps, progress or Quiet(), folder, key, judge, _counts(train), _counts(val))


def _counts(cases: Cases) -> dict[str, int]:
    return dict(sorted(Counter(case.label for case in cases).items()))

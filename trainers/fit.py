"""Fit a classifier to cases by a recipe: network, training, description."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from audit.cases.case import Cases
from audit.checkpoints.architectures import build
from audit.results import ModelDescription, Preparation
from trainers.fitting.chance import seeded
from trainers.fitting.course import Course
from trainers.fitting.log import TrainingLog
from trainers.fitting.loop import course_of, tidy
from trainers.fitting.network import load_start
from trainers.fitting.validate import threshold
from trainers.progress import Progress
from trainers.recipe import Recipe, changed


def fit(
    architecture: str | Recipe,
    train: Cases,
    val: Cases,
    *,
    classes: tuple[str, ...],
    positive_class: str,
    weights: Path | Literal["imagenet"] | None = None,
    folder: Path | None = None,
    pixels: Path | None = None,
    device: str = "cpu",
    max_seconds: float | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> tuple[nn.Module, ModelDescription, TrainingLog]:
    """Train `architecture` on `train`, choosing the epoch on `val`; settings are Recipe's fields.

    `architecture`: a name, or a whole Recipe (`study_recipe(name)`, say), which the settings
    change. `weights`: a state_dict file to start from, "imagenet" for torchvision's, None for
    random. `folder`: keeps the state after every epoch, log.csv and log.json; the same call goes
    on from there, and one that had ended answers at once. `pixels`: a private folder of decoded
    images, which several trainings can share. `max_seconds` ends after the epoch in which it
    passes; the log then says "time", and the run is not repeatable.
    Raises HipauditError for unknown labels or settings, one class only, patients in both splits,
    less than a batch of images, or a loss that is not finite.
    """
    recipe = architecture if isinstance(architecture, Recipe) else Recipe(architecture)
    recipe = changed(recipe, settings)
    way = Preparation(height=recipe.size, width=recipe.size, resize=recipe.resize)
    module = _start(recipe, len(classes), weights)
    course = course_of(
        module,
        recipe,
        train,
        val,
        classes=classes,
        positive_class=positive_class,
        way=way,
        folder=folder,
        pixels=pixels,
        device=device,
        progress=progress,
    )
    log = course.run(max_seconds)
    description = _described(course, log, classes, positive_class, weights)
    tidy(course, log)
    return module, description, log


def _start(recipe: Recipe, classes: int, weights: Path | Literal["imagenet"] | None) -> nn.Module:
    with seeded(torch.device("cpu"), recipe.seed, "start"):
        module = build(recipe.architecture, classes, recipe.head)
    if weights is not None:
        load_start(module, weights, recipe.architecture)
    return module


def _described(
    course: Course,
    log: TrainingLog,
    classes: tuple[str, ...],
    positive_class: str,
    weights: Path | Literal["imagenet"] | None,
) -> ModelDescription:
    recipe = course.steps.recipe
    cut = threshold(course.steps)
    start = {None: "random", "imagenet": "ImageNet (torchvision, IMAGENET1K_V1)"}
    return ModelDescription(
        name=recipe.architecture,
        architecture=recipe.architecture,
        parameters=sum(p.numel() for p in course.steps.module.parameters()),
        classes=classes,
        positive_class=positive_class,
        threshold=cut,
        threshold_origin="argmax" if cut is None else "validation split, Youden",
        preparation=course.steps.way,
        preparation_origin="training",
        training={
            "recipe": recipe.recorded(),
            "start": start[weights] if weights in (None, "imagenet") else "file",
            "log": log.recorded(),
        },
    )

"""Fit a classifier to cases by a recipe: one small loop."""

from __future__ import annotations

import copy
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from audit.cases.case import Cases
from audit.checkpoints.architectures import build
from audit.errors import HipauditError
from audit.results import ModelDescription, Preparation
from trainers.fitting.log import Epoch, TrainingLog
from trainers.fitting.network import load_start
from trainers.fitting.scores import Scores, score, youden
from trainers.fitting.steps import Material, Steps, normalised
from trainers.pixels.load import load_pixels, load_targets
from trainers.recipe import Progress, Recipe, make_recipe


def fit(
    architecture: str,
    train: Cases,
    val: Cases,
    *,
    classes: tuple[str, ...],
    positive_class: str,
    weights: Path | None = None,
    max_seconds: float | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> tuple[nn.Module, ModelDescription, TrainingLog]:
    """Train `architecture` on `train`, choosing the epoch on `val`; settings are Recipe's fields.

    `weights`: a state_dict file to start from (ImageNet, say); None starts at random.
    `max_seconds` ends after the epoch in which it passes; the log then says "time", and the
    run is not repeatable. Raises HipauditError for unknown labels or settings, one class
    only, patients in both splits, or a loss that is not finite.
    """
    recipe = make_recipe(architecture, settings)
    _check(train, val, classes, positive_class)
    way = Preparation(height=recipe.size, width=recipe.size, resize=recipe.resize)
    material = Material(
        x=load_pixels(train, way),
        y=load_targets(train, classes),
        val_x=load_pixels(val, way),
        val_y=load_targets(val, classes),
        classes=len(classes),
        positive=classes.index(positive_class),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        module = build(architecture, len(classes), recipe.head)
        if weights is not None:
            load_start(module, weights)
        epochs, best, ended = _train(module, material, recipe, way, max_seconds, progress)
    log = TrainingLog(tuple(epochs), best, ended, train=_counts(train), val=_counts(val))
    threshold = _threshold(module, material, recipe, way)
    description = ModelDescription(
        name=architecture,
        architecture=architecture,
        parameters=sum(p.numel() for p in module.parameters()),
        classes=classes,
        positive_class=positive_class,
        threshold=threshold,
        threshold_origin="argmax" if threshold is None else "validation split, Youden",
        preparation=way,
        preparation_origin="training",
        training={
            "recipe": recipe.recorded(),
            "start": "random" if weights is None else "file",
            "log": log.recorded(),
        },
    )
    return module, description, log


def _check(train: Cases, val: Cases, classes: tuple[str, ...], positive_class: str) -> None:
    if positive_class not in classes:
        raise HipauditError(f"a positive class among {', '.join(classes)}", f'"{positive_class}"')
    for name, cases in (("training", train), ("validation", val)):
        if len(cases.labels) < 2:
            raise HipauditError(
                f"at least two classes in the {name} split", f"{', '.join(cases.labels) or 'none'}"
            )
    _check_apart(train, val)


def _check_apart(train: Cases, val: Cases) -> None:
    """Patients are numbered anew at each reading, so they compare within one reading only."""
    images = {case.id for case in train} & {case.id for case in val}
    if images:
        raise HipauditError("no image in both splits", f"{len(images)} shared", "Split them anew.")
    shared = {c.patient for c in train if c.patient} & {c.patient for c in val if c.patient}
    if shared and train.description.sha256 == val.description.sha256:
        raise HipauditError(
            "no patient in both splits", f"{len(shared)} shared", "Split by patient."
        )


def _counts(cases: Cases) -> dict[str, int]:
    return dict(sorted(Counter(case.label for case in cases).items()))


@dataclass
class _Best:
    """The best validation value so far and the weights that gave it."""

    value: float = -math.inf
    epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def offer(self, value: float, epoch: int, module: nn.Module) -> None:
        if value > self.value:
            self.value, self.epoch = value, epoch
            self.weights = copy.deepcopy(module.state_dict())


def _train(
    module: nn.Module,
    material: Material,
    recipe: Recipe,
    way: Preparation,
    max_seconds: float | None,
    progress: Progress | None,
) -> tuple[list[Epoch], int, str]:
    """Both phases; leaves the best weights in `module`, in eval mode."""
    draw = Generator().manual_seed(recipe.seed)
    began, best, done, ended = time.monotonic(), _Best(), list[Epoch](), "epochs"
    for phase, count in (
        ("frozen", recipe.freeze_epochs),
        ("all", recipe.epochs - recipe.freeze_epochs),
    ):
        if count == 0 or ended != "epochs":
            continue
        steps = Steps(module, material, recipe, way, phase, count, draw)
        for _ in range(count):
            start = time.monotonic()
            loss, lr = steps.epoch(len(done) + 1)
            found = _validate(module, material, recipe, way)
            now = time.monotonic()
            done.append(
                Epoch(
                    len(done) + 1, phase, lr, loss, found.loss, found.accuracy, found.auroc,
                    now - start,
                )
            )  # fmt: skip
            best.offer(found.of(recipe.metric), len(done), module)
            if progress is not None:
                progress(_line(done[-1], recipe.epochs))
            if recipe.patience and len(done) - best.epoch >= recipe.patience:
                ended = "early stop"
            elif max_seconds is not None and now - began > max_seconds:
                ended = "time"
            if ended != "epochs":
                break
    module.load_state_dict(best.weights)
    module.eval()
    return done, best.epoch, ended


def _logits(module: nn.Module, x: Tensor, way: Preparation, batch: int) -> np.ndarray[Any, Any]:
    module.eval()
    with torch.no_grad():
        parts = [module(normalised(part.float(), way)) for part in torch.split(x, batch)]
    return torch.cat(parts).numpy()


def _validate(module: nn.Module, material: Material, recipe: Recipe, way: Preparation) -> Scores:
    logits = _logits(module, material.val_x, way, recipe.batch_size)
    return score(logits, material.val_y.numpy(), material.positive)


def _threshold(
    module: nn.Module, material: Material, recipe: Recipe, way: Preparation
) -> float | None:
    if recipe.threshold == "argmax":
        return None
    logits = _logits(module, material.val_x, way, recipe.batch_size)
    return youden(logits, material.val_y.numpy(), material.positive)


def _line(epoch: Epoch, of: int) -> str:
    return (
        f"epoch {epoch.number}/{of} ({epoch.phase}): loss {epoch.train_loss:.3f}, "
        f"validation accuracy {epoch.val_accuracy:.3f}, AUROC {epoch.val_auroc:.3f}, "
        f"{epoch.seconds:.0f} s"
    )

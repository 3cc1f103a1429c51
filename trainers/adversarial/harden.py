"""Hardening: a given classifier's network, fine-tuned with adversarial examples."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.results import ModelDescription
from trainers.adversarial.account import BATCH, Course, described_by
from trainers.adversarial.judge import Judge
from trainers.adversarial.settings import Adversarial
from trainers.adversarial.trainable import Answering, trainable
from trainers.fitting.log import TrainingLog
from trainers.fitting.loop import train_module
from trainers.progress import Progress, Quiet
from trainers.recipe import Recipe

EPOCHS = 10
LR = 1e-3


def harden(
    classifier: Classifier,
    train: Cases,
    val: Cases,
    *,
    settings: Adversarial,
    epochs: int = EPOCHS,
    lr: float = LR,
    folder: Path | None = None,
    progress: Progress | None = None,
    seed: int = 0,
    max_seconds: float | None = None,
) -> tuple[nn.Module, ModelDescription, TrainingLog]:
    """A copy of the classifier's network, trained on; its description; the log.

    All layers learn, under one cycle with peak `lr`; preparation and classes are those of the
    classifier, which is not changed. The epoch is chosen by the mean of clean and PGD accuracy on
    `val`. A threshold that was Youden's on a validation split is chosen anew on `val`; any other
    is kept. `folder`: as for `train_module`: the same call goes on from there. Raises
    HipauditError for a network that cannot be trained and for what `train_module` refuses.
    """
    given, progress = classifier.description, progress or Quiet()
    module = trainable(classifier)
    recipe = _recipe(classifier, settings, epochs, lr, seed, len(train))
    judge = Judge(
        val,
        given.preparation,
        given.classes,
        settings,
        seed=seed,
        batch_size=recipe.batch_size,
        folder=folder,
        progress=progress,
    )
    before = judge.measure(module.to(classifier.device))
    progress.note(f"before hardening: {before}")
    log = train_module(
        module,
        recipe,
        train,
        val,
        classes=given.classes,
        positive_class=given.positive_class,
        way=given.preparation,
        folder=folder,
        device=str(classifier.device),
        max_seconds=max_seconds,
        progress=progress,
        judge=judge,
    )
    course = Course(settings, recipe, log, before, judge.measure(module), judge.history)
    progress.note(f"after hardening (epoch {log.best}): {course.after}")
    network = module.network if isinstance(module, Answering) else module
    return network, described_by(classifier, network, val, course), log


def _recipe(
    classifier: Classifier, settings: Adversarial, epochs: int, lr: float, seed: int, images: int
) -> Recipe:
    """Augmented as the checkpoint says it was trained, else gently and never mirrored."""
    given = classifier.description
    way = given.preparation
    recorded = given.training.get("recipe")
    before = recorded if isinstance(recorded, dict) else {}
    known = before.get("augmentation") in ("study", "gentle", "none")
    return Recipe(
        given.architecture,
        size=max(way.height, way.width),
        resize=way.resize,
        freeze_epochs=0,
        max_epochs=epochs,
        batch_size=max(2, min(BATCH, images)),
        lr=lr,
        spread="even",
        augmentation=before["augmentation"] if known else "gentle",
        flip=known and before.get("flip") is True,
        patience=0,
        adversarial=settings,
        seed=seed,
    )

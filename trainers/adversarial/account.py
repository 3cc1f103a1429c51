"""What a hardening tells of itself: the record in the checkpoint, the notes in an audit."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.fingerprint import model_digest
from audit.results import ModelDescription, Note
from trainers.adversarial.settings import Adversarial
from trainers.adversarial.watch import Strength, collapsed
from trainers.fitting.log import TrainingLog
from trainers.fitting.scores import youden
from trainers.pixels.load import load_pixels, load_targets
from trainers.recipe import Recipe

CODE = "adversarial-training"
CHOSEN_BY = "mean of clean and PGD accuracy on the validation images"
YOUDEN = "validation split, Youden"  # as trainers.fit says it
BATCH = 32


@dataclass(frozen=True)
class Course:
    """How a hardening went: strengths before it, of what was kept, and after each epoch."""

    settings: Adversarial
    recipe: Recipe
    log: TrainingLog
    before: Strength
    after: Strength
    history: tuple[Strength, ...]

    @property
    def collapses(self) -> list[int]:
        """Epochs in which one-step training broke down."""
        until = range(1, len(self.history) + 1)
        return [epoch for epoch in until if collapsed(self.history[:epoch])]


def described_by(
    classifier: Classifier, network: nn.Module, val: Cases, course: Course
) -> ModelDescription:
    """What the hardened weights say of themselves: the given description, its record and notes."""
    given = classifier.description
    changes: dict[str, Any] = {
        "name": f"{given.name}-hardened",
        "sha256": (),
        "container": "module",
        "golden": {},
        "training": {
            **given.training,
            "hardening": {
                "from": model_digest(classifier),
                "recipe": course.recipe.recorded(),
                "log": course.log.recorded(),
                "chosen_by": CHOSEN_BY,
                "before": course.before.recorded(),
                "epochs": [found.recorded() for found in course.history],
            },
        },
    }
    if given.threshold is not None and given.threshold_origin == YOUDEN:
        changes["threshold"] = _youden(classifier, network, val)
    described = given.model_copy(update=changes)
    notes = _notes(given, described, course)
    return described.model_copy(update={"notes": (*given.notes, *notes)})


def _youden(classifier: Classifier, network: nn.Module, val: Cases) -> float:
    given = classifier.description
    other = Classifier(copy.deepcopy(network), given, device=str(classifier.device))
    parts = [Cases(val[i : i + BATCH], val.description) for i in range(0, len(val), BATCH)]
    seen = (load_pixels(part, given.preparation).float() for part in parts)
    logits = torch.cat([other.predict(x).logits for x in seen])
    positive = given.classes.index(given.positive_class)
    return youden(logits.numpy(), load_targets(val, given.classes).numpy(), positive)


def _notes(given: ModelDescription, described: ModelDescription, course: Course) -> list[Note]:
    settings, log = course.settings, course.log
    step = f"{settings.steps} steps of" if settings.method == "pgd" else "a step of"
    text = (
        f"Adversarial training ({settings.method}, {step} {settings.step:.3g} ε, "
        f"ε {settings.epsilon * 255:.3g}/255 after a ramp over {settings.ramp:.0%} of the steps, "
        f"{settings.share:.0%} of each batch) of the given weights: {sum(log.train.values())} "
        f"training images, {len(log.epochs)} of at most {course.recipe.epochs} epochs, peak "
        f"learning rate {course.recipe.lr:g}, augmentation {course.recipe.augmentation}, seed "
        f"{course.recipe.seed}. Epoch {log.best} was kept, by the {CHOSEN_BY} "
        f"({course.after.n}): before {course.before}; after {course.after}. "
        f"{_threshold_words(given, described)} Attacks are made on the hardened weights "
        "themselves; images made to fool the given weights are not tried on them."
    )
    notes = [Note(code=CODE, level="info", text=text)]
    if course.collapses:
        shown = ", ".join(map(str, course.collapses))
        text = f"One-step adversarial training broke down in epoch {shown}: accuracy under PGD "
        text += "fell while that under FGSM did not (catastrophic overfitting)."
        notes.append(Note(code=f"{CODE}.collapse", level="warning", text=text))
    if course.after.pgd <= course.before.pgd:
        text = "Adversarial training did not raise accuracy under PGD on its validation images."
        notes.append(Note(code=f"{CODE}.no-gain", level="warning", text=text))
    return notes


def _threshold_words(given: ModelDescription, described: ModelDescription) -> str:
    if given.threshold is None:
        return "It decides by argmax, as before."
    if described.threshold == given.threshold:
        return f"The threshold stays {given.threshold:.3g} ({given.threshold_origin})."
    return f"The threshold was chosen anew: {described.threshold:.3g} ({YOUDEN})."

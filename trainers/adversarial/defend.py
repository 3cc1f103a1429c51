"""From a classifier and training images to the defence an audit is given."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.fingerprint import model_digest, versions
from audit.store import unit_key
from trainers.adversarial.answer import as_defence, save
from trainers.adversarial.apart import check_apart, training_part
from trainers.adversarial.harden import EPOCHS, LR, harden
from trainers.adversarial.settings import Adversarial
from trainers.progress import Progress
from trainers.splits import carve

VAL_SHARE = 0.2
FOLDER = "hardening"
FILE = "hardened.pt"


@dataclass(frozen=True)
class Hardening:
    """What a user may ask of the hardening; `resume` goes on with what an earlier call left."""

    settings: Adversarial = field(default_factory=Adversarial)
    epochs: int = EPOCHS
    lr: float = LR
    seed: int = 0
    resume: bool = True

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise HipauditError("at least one epoch of hardening", f"{self.epochs}")


def defend(
    classifier: Classifier,
    given: Cases,
    audited: Cases,
    folder: Path,
    asked: Hardening,
    progress: Progress | None = None,
) -> Classifier:
    """The classifier hardened on `given`, ready to be audited beside the given one.

    A fifth of the patients of `given` chooses the epoch. Written: folder/hardened.pt, and under
    folder/hardening/ the state and the log of this very hardening; the same call again finds it
    done. Raises HipauditError where `given` and `audited` share images or patients.
    """
    usable = training_part(given)
    check_apart(usable, given, audited)
    train, val = carve(usable, VAL_SHARE, seed=asked.seed)
    place = place_of(classifier, usable, folder, asked)
    if not asked.resume:
        shutil.rmtree(place, ignore_errors=True)
    if progress is not None:
        progress.note(
            f"hardening ({asked.settings.method}, ε {asked.settings.epsilon * 255:.3g}/255): "
            f"{len(train)} images to train on, {len(val)} to choose the epoch"
        )
    module, description, log = harden(
        classifier,
        train,
        val,
        settings=asked.settings,
        epochs=asked.epochs,
        lr=asked.lr,
        folder=place,
        progress=progress,
        seed=asked.seed,
    )
    log.write(place, description.training["hardening"]["recipe"])
    return as_defence(classifier, module, save(folder / FILE, module, description))


def place_of(classifier: Classifier, given: Cases, folder: Path, asked: Hardening) -> Path:
    """Where the state of this very hardening lies: another one never meets it."""
    key = {
        "model": model_digest(classifier),
        "cases": [(case.id, case.label, case.patient) for case in given],
        "settings": asked.settings.recorded(),
        "rest": (asked.epochs, asked.lr, asked.seed),
        "versions": {name: versions()[name] for name in ("hipaudit", "torch")},
    }
    return folder / FOLDER / unit_key(key)[:12]

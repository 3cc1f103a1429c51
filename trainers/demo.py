"""The demo's classifier: a small network fitted to phantoms in about two minutes of two cores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.checkpoints.own import save_checkpoint
from trainers.fit import fit
from trainers.progress import Progress

CLASSES, POSITIVE = ("normal", "fracture"), "fracture"
ARCHITECTURE = "resnet18"
EPOCHS_IN_TWO_MINUTES = 10
# From random weights SqueezeNet stays at chance for as many steps as fit into two minutes, and
# so does ResNet-18 with batches of 32; small images and small batches give it enough steps.
SETTINGS: dict[str, Any] = {
    "head": "torchvision",
    "size": 80,
    "batch_size": 16,
    "lr": 2e-3,
    "augmentation": "gentle",
    "metric": "auroc",
    "patience": 0,
}


def train_demo(
    folder: Path, seconds: float = 120, seed: int = 0, progress: Progress | None = None
) -> Path:
    """Fit to `folder/train` and `folder/val` as `write_phantoms` left them; `folder/model.pt`.

    `seconds` only chooses the number of epochs, so equal arguments give equal weights on
    machines of one class whatever else they are doing.
    """
    train, val = (
        read_cases(folder / split, DataOptions(split=split, positive_class=POSITIVE))
        for split in ("train", "val")
    )
    module, description, _ = fit(
        ARCHITECTURE,
        train,
        val,
        classes=CLASSES,
        positive_class=POSITIVE,
        max_epochs=max(1, round(EPOCHS_IN_TWO_MINUTES * seconds / 120)),
        seed=seed,
        progress=progress,
        **SETTINGS,
    )
    named = description.model_copy(update={"name": f"{ARCHITECTURE}, synthetic demo"})
    return save_checkpoint(folder / "model.pt", module, named, {"synthetic": True})

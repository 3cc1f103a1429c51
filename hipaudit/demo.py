"""The demo's material: synthetic radiographs as DICOM, and a classifier fitted to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hipaudit.workflow import MARKER

if TYPE_CHECKING:
    from audit.cases.case import Cases

Say = Callable[[str], None]
CLASSES = ("normal", "fracture")
POSITIVE = "fracture"


@dataclass(frozen=True)
class Size:
    """How large a demo is. `seconds`: training ends after the epoch in which they pass."""

    patients: int = 400
    pixels: int = 192
    architecture: str = "squeezenet1_1"
    size: int = 128
    epochs: int = 14
    learning_rate: float = 1e-3
    seconds: float | None = 180.0


def prepare(folder: Path, seed: int, size: Size, say: Say) -> tuple[Path, Path]:
    """(checkpoint, test images) in `folder`; what an earlier demo left there is used again."""
    data = _phantoms(folder / "data", seed, size, say)
    checkpoint = folder / "model.pt"
    if not checkpoint.is_file():
        _train(data, checkpoint, seed, size, say)
    return checkpoint, data / "test"


def _phantoms(data: Path, seed: int, size: Size, say: Say) -> Path:
    """Whole or not at all: written beside and renamed."""
    from trainers.phantom import write_phantoms

    if (data / MARKER).is_file():
        say(f"synthetic radiographs: those in {data}")
        return data
    part = data.with_name(data.name + ".part")
    for leftover in (part, data):
        shutil.rmtree(leftover, ignore_errors=True)
    write_phantoms(part, patients=size.patients, size=size.pixels, seed=seed, progress=say)
    part.rename(data)
    return data


def _train(data: Path, checkpoint: Path, seed: int, size: Size, say: Say) -> None:
    from audit.cases.options import DataOptions
    from audit.checkpoints.own import save_checkpoint
    from hipaudit.workflow import read_data
    from trainers.fit import fit

    say(f"training {size.architecture} from scratch on synthetic images")

    def cases(split: str) -> Cases:
        options = DataOptions(positive_class=POSITIVE, split=split, workers=2)
        return read_data(data / split, options)

    module, description, log = fit(
        size.architecture,
        cases("train"),
        cases("val"),
        classes=CLASSES,
        positive_class=POSITIVE,
        max_seconds=size.seconds,
        progress=say,
        size=size.size,
        epochs=size.epochs,
        lr=size.learning_rate,
        seed=seed,
    )
    named = description.model_copy(update={"name": f"{size.architecture}, synthetic demo"})
    save_checkpoint(checkpoint, module, named, {"synthetic": True})
    say(f"trained: {len(log.epochs)} epochs, best {log.best}")

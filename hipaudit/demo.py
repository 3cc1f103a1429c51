"""The demo's material: synthetic radiographs as DICOM, and a classifier fitted to them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hipaudit.workflow import MARKER

if TYPE_CHECKING:
    from trainers.progress import Progress

PATIENTS = 500
PIXELS = 160
SECONDS = 120.0


def prepare(
    folder: Path,
    progress: Progress,
    *,
    patients: int = PATIENTS,
    pixels: int = PIXELS,
    seconds: float = SECONDS,
    seed: int = 0,
) -> tuple[Path, Path]:
    """(checkpoint, test images) in `folder`; what an earlier demo left there is used again.

    `seconds`: how long training may take on two cores.
    """
    data = _phantoms(folder / "data", progress, patients, pixels, seed)
    checkpoint = folder / "model.pt"
    if checkpoint.is_file():
        progress.note(f"classifier: the one in {checkpoint}")
    else:
        from trainers.demo import train_demo

        progress.note("training on synthetic images")
        train_demo(data, seconds, seed, progress).replace(checkpoint)
    return checkpoint, data / "test"


def _phantoms(data: Path, progress: Progress, patients: int, pixels: int, seed: int) -> Path:
    """Whole or not at all: written beside and renamed."""
    from trainers.phantom.write import write_phantoms

    if (data / MARKER).is_file():
        progress.note(f"synthetic radiographs: those in {data}")
        return data
    part = data.with_name(data.name + ".part")
    for leftover in (part, data):
        shutil.rmtree(leftover, ignore_errors=True)
    write_phantoms(part, patients=patients, size=pixels, seed=seed, progress=progress)
    part.rename(data)
    return data

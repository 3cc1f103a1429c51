"""The demo's material: synthetic radiographs as DICOM, and a classifier fitted to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from hipaudit.workflow import MARKER

Say = Callable[[str], None]
PATIENTS = 500
PIXELS = 160
SECONDS = 120.0


def prepare(
    folder: Path,
    say: Say,
    *,
    patients: int = PATIENTS,
    pixels: int = PIXELS,
    seconds: float = SECONDS,
    seed: int = 0,
) -> tuple[Path, Path]:
    """(checkpoint, test images) in `folder`; what an earlier demo left there is used again.

    `seconds`: how long training may take on two cores.
    """
    data = _phantoms(folder / "data", say, patients, pixels, seed)
    checkpoint = folder / "model.pt"
    if checkpoint.is_file():
        say(f"classifier: the one in {checkpoint}")
    else:
        from trainers.demo import train_demo

        say("training on synthetic images")
        train_demo(data, seconds, seed, say).replace(checkpoint)
    return checkpoint, data / "test"


def _phantoms(data: Path, say: Say, patients: int, pixels: int, seed: int) -> Path:
    """Whole or not at all: written beside and renamed."""
    from trainers.phantom.write import write_phantoms

    if (data / MARKER).is_file():
        say(f"synthetic radiographs: those in {data}")
        return data
    part = data.with_name(data.name + ".part")
    for leftover in (part, data):
        shutil.rmtree(leftover, ignore_errors=True)
    write_phantoms(part, patients=patients, size=pixels, seed=seed, progress=say)
    part.rename(data)
    return data

"""How large a set of phantoms will be, and how long it takes here."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from audit.errors import HipauditError
from trainers.phantom.exposure import exposures_of
from trainers.phantom.people import Person
from trainers.phantom.produce import WORTH, file_of
from trainers.phantom.spec import PhantomSpec

TRIED = 3  # patients, the first of whom warms up


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of a whole set: megabytes on disk and seconds on this machine."""

    megabytes: float
    seconds: float


def outlook(spec: PhantomSpec, workers: int = 1, device: str = "cpu") -> Outlook:
    """From a few radiographs made now and thrown away."""
    size, began, made = 0, 0.0, 0
    for number in range(1, TRIED + 1):
        for shot in exposures_of(Person(number, "train", number % 2 == 0), spec):
            content = file_of(shot, "train", spec.form, device)
            if number > 1:
                size, made = size + len(content), made + 1
        began = began or time.perf_counter()
    images = sum(spec.counts.values())
    at_once = max(1, min(workers, images // WORTH))
    seconds = (time.perf_counter() - began) / made / at_once
    return Outlook(size / made * images / 1e6, seconds * images)


def check_room(folder: Path, ahead: Outlook) -> None:
    """Raises HipauditError where the disk has less room than a set about to be begun needs."""
    if (folder / "spec.json").is_file():
        return  # begun: part of it is there already
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e6
    if free < ahead.megabytes:
        raise HipauditError(
            f"about {ahead.megabytes:,.0f} MB of free disk",
            f"{free:,.0f} MB",
            "Name a folder on another disk, or ask for fewer or smaller --images.",
        )

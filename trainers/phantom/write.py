"""Phantom hip radiographs on disk: images, tables and the specification. All synthetic."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from audit.draws import ranked
from audit.errors import HipauditError
from audit.files import write_whole
from trainers.phantom.people import Person, endowed, people_of
from trainers.phantom.produce import Rows, produced
from trainers.phantom.spec import EASY, PhantomSpec
from trainers.phantom.table import as_csv
from trainers.progress import Progress, Quiet

SHARES = {"train": 0.6, "val": 0.15, "test": 0.25}
Produce = Callable[[Path, Sequence[Person]], Iterator[Rows]]
NOTICE = """SYNTHETIC
Everything in this folder was computed from geometric shapes. No image shows a person, and
no result on it says anything about a patient. Written by hipaudit.
"""


def write_dataset(
    folder: Path,
    spec: PhantomSpec,
    progress: Progress | None = None,
    *,
    workers: int = 1,
    device: str = "cpu",
) -> Path:
    """Write `folder/<split>/` with images, labels.csv and ground_truth.csv, and `spec.json`.

    `workers`: processes (a script that asks for several needs the usual
    `if __name__ == "__main__"`). `device`: where rays are traced; untested on CUDA. The same
    specification gives the same bytes on one kind of machine, whatever the number of workers.
    An interrupted call is taken up where it stopped by the same call; labels.csv is a split's
    last file. Raises HipauditError for a folder with anything else in it, and when the disk is
    full.
    """
    record = {"spec": spec.recorded(), "source": source_digest(), "synthetic": True}
    how = partial(produced, spec=spec, workers=workers, device=device)
    return _write(folder, people_of(spec), record, how, progress or Quiet())


def write_phantoms(
    folder: Path,
    *,
    patients: int,
    prevalence: float = 0.43,
    size: int = 256,
    seed: int = 0,
    splits: Mapping[str, float] = SHARES,
    progress: Progress | None = None,
) -> Path:
    """The demo's data as DICOM: the easy specification, every patient frontal and lateral.

    `splits`: share of the patients in each; a patient is in one only. `prevalence`: share of
    patients with a fracture, in each split. Otherwise as `write_dataset`.
    """
    _check(patients, prevalence, splits)
    people = _pairs(patients, prevalence, splits, seed)
    spec = replace(
        EASY,
        size=size,
        seed=seed,
        prevalence_train=prevalence,
        prevalence_val=prevalence,
        prevalence_test=prevalence,
    )
    record = {"spec": spec.recorded(), "patients": patients, "splits": dict(splits)}
    record |= {"source": source_digest(), "synthetic": True}
    how = partial(produced, spec=spec, workers=1, device="cpu")
    crowd = endowed(spec, people, views=False)
    return _write(folder, crowd, record, how, progress or Quiet())


def source_digest() -> str:
    """Of the code that draws phantoms: a set is only taken up by the code that began it."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _check(patients: int, prevalence: float, splits: Mapping[str, float]) -> None:
    if not 0 < prevalence < 1:
        raise HipauditError("0 < prevalence < 1", f"prevalence {prevalence}")
    if not splits or min(splits.values()) <= 0 or abs(sum(splits.values()) - 1) > 1e-6:
        raise HipauditError("shares of splits above 0 that sum to 1", f"{dict(splits)}")
    if min(prevalence, 1 - prevalence) * min(splits.values()) * patients < 1:
        raise HipauditError(
            "enough patients for both labels in every split", f"{patients}", "Use more patients."
        )


def _pairs(
    patients: int, prevalence: float, splits: Mapping[str, float], seed: int
) -> list[Person]:
    """Both labels are shared out over the splits in the same proportions."""
    order = [int(name) for name in ranked(seed, [str(n + 1) for n in range(patients)], "labels")]
    broken = round(patients * prevalence)
    found: list[Person] = []
    for numbers, fractured in ((order[:broken], True), (order[broken:], False)):
        start, share = 0, 0.0
        for split, part in splits.items():
            share += part
            end = round(len(numbers) * share)
            found += [Person(number, split, fractured) for number in numbers[start:end]]
            start = end
    return sorted(found, key=lambda person: person.number)


def _write(
    folder: Path, people: list[Person], record: dict[str, Any], how: Produce, told: Progress
) -> Path:
    _claim(folder, record)
    for split in dict.fromkeys(person.split for person in people):
        crowd = [person for person in people if person.split == split]
        total, rows = sum(person.images for person in crowd), Rows()
        for found in how(folder / split, crowd):
            rows += found
            told.run(f"synthetic radiographs, {split}", len(rows), total)
        write_whole(folder / split / "ground_truth.csv", as_csv([truth for _, truth in rows]))
        write_whole(folder / split / "SYNTHETIC", NOTICE)
        write_whole(folder / split / "labels.csv", as_csv([label for label, _ in rows]))
    return write_whole(folder / "SYNTHETIC", NOTICE).parent


def _claim(folder: Path, record: dict[str, Any]) -> None:
    """Begin in an empty folder, or take up the set with this very record."""
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    begun = folder / "spec.json"
    if begun.is_file():
        if begun.read_text(encoding="utf-8", errors="replace") == text:
            return
        raise HipauditError(
            "an empty or new folder for phantoms, or the same set begun there",
            "a set of another specification or version",
            "Name another folder.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HipauditError(
            "an empty or new folder for phantoms", "one with files in it", "Name another folder."
        )
    write_whole(begun, text)

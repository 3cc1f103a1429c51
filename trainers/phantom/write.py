"""Phantom hip radiographs: labelled, computed from quadrics and Beer–Lambert. All synthetic."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from audit.draws import generator, ranked
from audit.errors import HipauditError
from audit.files import write_whole
from trainers.phantom.detector import SCANNERS, Scanner, develop, texture
from trainers.phantom.dicom import phantom_dicom
from trainers.phantom.fracture import Box, fracture_box
from trainers.phantom.patient import Patient, draw_patient
from trainers.phantom.scene import line_integrals
from trainers.phantom.view import View, draw_view
from trainers.recipe import Progress

COLUMNS = (
    "path", "label", "patient_id", "view", "sex", "age", "laterality", "hardware", "split", "boxes",
    "synthetic",
)  # fmt: skip
SPLITS = {"train": 0.6, "val": 0.15, "test": 0.25}
NOTICE = """SYNTHETIC
Everything in this folder was computed from geometric shapes. No image shows a person, and
no result on it says anything about a patient. Written by hipaudit.
"""


@dataclass(frozen=True, slots=True)
class Spec:
    """One phantom image: who, how exposed, by which machine, how large; `seed` for the noise."""

    patient: Patient
    view: View = field(default_factory=View)
    scanner: Scanner = SCANNERS[0]
    size: int = 256
    seed: int = 0


def render(spec: Spec) -> tuple[npt.NDArray[np.float32], Box | None]:
    """(size, size) float32 in [0, 1], bone bright, and the fracture's box in its pixels or None.

    Depends on the spec only. A right hip is shown as one facing the patient sees it.
    """
    patient, view, size = spec.patient, spec.view, spec.size
    draw = generator(spec.seed, f"patient {patient.number}", f"image {view.position}")
    rough = None
    if patient.fracture is not None:
        rough = patient.fracture.roughness * texture(size, size // 6, draw)
    maps = line_integrals(patient, view, size, rough)
    pixels = develop(maps, patient, spec.scanner, draw).numpy()
    box = fracture_box(patient, view, size)
    if box is not None and patient.side == "R":
        box = (size - box[2], box[1], size - box[0], box[3])
    return np.ascontiguousarray(pixels, dtype=np.float32), box


def write_phantoms(
    folder: Path,
    *,
    patients: int,
    prevalence: float = 0.43,
    size: int = 256,
    seed: int = 0,
    splits: Mapping[str, float] = SPLITS,
    progress: Progress | None = None,
) -> Path:
    """Write `folder/<split>/*.dcm` and `folder/<split>/labels.csv`; every patient AP and lateral.

    `splits`: share of the patients in each; a patient is in one only. `prevalence`: share of
    patients with a fracture, in each split. The same arguments give the same bytes. Raises
    HipauditError for shares that leave a split without both labels, or a folder with files in it.
    """
    _check(folder, patients, prevalence, size, splits)
    assigned = _assign(patients, prevalence, splits, seed)
    for split, people in assigned.items():
        if progress is not None:
            progress(f"phantoms: {split}, {2 * len(people)} synthetic radiographs")
        with ThreadPoolExecutor(max_workers=2) as pool:
            rows = pool.map(
                lambda person, split=split: _write_patient(
                    folder / split, split, *person, size=size, seed=seed
                ),
                people,
            )
            write_whole(folder / split / "labels.csv", _table([r for two in rows for r in two]))
        write_whole(folder / split / "SYNTHETIC", NOTICE)
    return write_whole(folder / "SYNTHETIC", NOTICE).parent


def _check(
    folder: Path, patients: int, prevalence: float, size: int, splits: Mapping[str, float]
) -> None:
    if not 0 < prevalence < 1 or size < 32:
        raise HipauditError(
            "0 < prevalence < 1 and size >= 32", f"prevalence {prevalence}, size {size}"
        )
    if not splits or min(splits.values()) <= 0 or abs(sum(splits.values()) - 1) > 1e-6:
        raise HipauditError("shares of splits above 0 that sum to 1", f"{dict(splits)}")
    least = min(prevalence, 1 - prevalence) * min(splits.values()) * patients
    if least < 1:
        raise HipauditError(
            "enough patients for both labels in every split", f"{patients}", "Use more patients."
        )
    if folder.exists() and any(folder.iterdir()):
        raise HipauditError(
            "an empty or new folder for phantoms", "one with files in it", "Name another folder."
        )


def _assign(
    patients: int, prevalence: float, splits: Mapping[str, float], seed: int
) -> dict[str, list[tuple[int, bool]]]:
    """Split -> (patient number, fractured). Both labels are shared out in the same proportions."""
    order = [int(name) for name in ranked(seed, [str(n + 1) for n in range(patients)], "labels")]
    broken = round(patients * prevalence)
    out: dict[str, list[tuple[int, bool]]] = {split: [] for split in splits}
    for numbers, fractured in ((order[:broken], True), (order[broken:], False)):
        start, share = 0, 0.0
        for split, part in splits.items():
            share += part
            end = round(len(numbers) * share)
            out[split] += [(number, fractured) for number in numbers[start:end]]
            start = end
    return {split: sorted(people) for split, people in out.items()}


def _write_patient(
    folder: Path, split: str, number: int, fractured: bool, *, size: int, seed: int
) -> list[dict[str, Any]]:
    """Both images of a patient, and their rows of the table."""
    patient = draw_patient(number, fractured=fractured, seed=seed)
    scanner = SCANNERS[int(generator(seed, f"patient {number}", "scanner").integers(len(SCANNERS)))]
    rows = []
    positions: tuple[Literal["AP", "LL"], ...] = ("AP", "LL")
    for position in positions:
        spec = Spec(patient, draw_view(patient, position, seed), scanner, size, seed)
        pixels, box = render(spec)
        name = f"SYN{number:05d}_{position}.dcm"
        write_whole(folder / name, phantom_dicom(pixels, spec, split))
        rows.append(_row(name, spec, split, box))
    return rows


def _row(name: str, spec: Spec, split: str, box: Box | None) -> dict[str, Any]:
    patient = spec.patient
    return {
        "path": name,
        "label": "normal" if patient.fracture is None else "fracture",
        "patient_id": f"SYN{patient.number:05d}",
        "view": "frontal" if spec.view.position == "AP" else "lateral",
        "sex": patient.sex,
        "age": patient.age,
        "laterality": patient.side,
        "hardware": int(patient.hardware != "none"),
        "split": split,
        "boxes": "" if box is None else " ".join(f"{value:.1f}" for value in box),
        "synthetic": "yes",
    }


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

"""The tables beside the phantoms: labels.csv for training and audits, ground_truth.csv.

An audit takes every column of labels.csv that it does not know as a subgroup; what would only
flood it (and what gives the fracture away) is therefore in ground_truth.csv, by the same path.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from trainers.phantom.exposure import Exposure, box_of, neck_of
from trainers.phantom.people import Person

Rows = Sequence[dict[str, Any]]


def label_row(path: str, shot: Exposure, person: Person) -> dict[str, Any]:
    """A row of labels.csv: what the hospital wrote, and the attributes worth a subgroup."""
    box = box_of(shot)
    broken = person.fractured is not person.wrong
    return {
        "path": path,
        "label": "fracture" if broken else "normal",
        "patient_id": f"SYN{person.number:05d}",
        "view": "frontal" if shot.view.position == "AP" else "lateral",
        "sex": shot.patient.sex,
        "age": shot.patient.age,
        "laterality": shot.patient.side,
        "hardware": int(shot.patient.hardware != "none"),
        "scanner": shot.scanner.model,
        "marker": "no" if shot.technique.marker is None else "yes",
        "split": person.split,
        "boxes": "" if box is None or not broken else " ".join(f"{value:.1f}" for value in box),
        "synthetic": "yes",
    }


def truth_row(path: str, shot: Exposure, person: Person) -> dict[str, Any]:
    """A row of ground_truth.csv: the fracture as it is, and every nuisance as drawn."""
    patient = shot.patient
    broken = patient.fracture
    column, row = neck_of(shot)
    return {
        "path": path,
        "patient_id": f"SYN{person.number:05d}",
        "neck_x": round(column, 1),
        "neck_y": round(row, 1),
        "mm_per_pixel": round(shot.view.field / shot.size, 4),
        "truth": "normal" if broken is None else "fracture",
        "label_wrong": "yes" if person.wrong else "no",
        "kind": "none" if broken is None else broken.kind,
        "garden": "" if broken is None else broken.garden,
        "severity": "none" if broken is None else broken.severity,
        "hardware": patient.hardware,
    }


def as_csv(rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

"""The tables beside the phantoms: labels.csv for training and audits, ground_truth.csv.

An audit takes every column of labels.csv that it does not know as a subgroup; what would only
flood it (and what gives the fracture away) is therefore in ground_truth.csv, by the same path.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from trainers.phantom.exposure import Exposure, box_of, centre_of, neck_of
from trainers.phantom.fracture import Box, displacement
from trainers.phantom.patient import Patient
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
        "boxes": _box(box) if broken else "",
        "synthetic": "yes",
    }


def truth_row(path: str, shot: Exposure, person: Person) -> dict[str, Any]:
    """A row of ground_truth.csv: the fracture as it is, and every nuisance as drawn.

    Lengths mm in the patient, angles degrees, places in pixels of the image (x right, y down, of
    its first pixel's centre 0.5), other shares as in `Technique`. `truth` is the label without
    noise; `boxes` are of true fractures, those of labels.csv of written ones. `in_frame`: is the
    middle of the fracture within the open field.
    """
    column, row = neck_of(shot)
    return {
        "path": path,
        "patient_id": f"SYN{person.number:05d}",
        "neck_x": round(column, 1),
        "neck_y": round(row, 1),
        "mm_per_pixel": round(shot.view.field / shot.size, 4),
        "truth": "normal" if shot.patient.fracture is None else "fracture",
        "label_wrong": "yes" if person.wrong else "no",
        **_fracture(shot),
        **_patient(shot.patient),
        **_acquisition(shot),
    }


def _fracture(shot: Exposure) -> dict[str, Any]:
    broken, centre, box = shot.patient.fracture, centre_of(shot), box_of(shot)
    if broken is None or centre is None:
        blank = ("garden", "displacement_mm", "gap_mm", "fracture_x", "fracture_y", "in_frame")
        return {"kind": "none", "severity": "none", **dict.fromkeys((*blank, "boxes"), "")}
    top, low, left, right = (share * shot.size for share in shot.technique.shutter)
    seen = left <= centre[0] <= shot.size - right and top <= centre[1] <= shot.size - low
    return {
        "kind": broken.kind,
        "severity": broken.severity,
        "garden": broken.garden,
        "displacement_mm": round(displacement(shot.patient), 1),
        "gap_mm": round(broken.gap, 2) if broken.form == "gap" else 0,
        "fracture_x": round(centre[0], 1),
        "fracture_y": round(centre[1], 1),
        "in_frame": "yes" if seen else "no",
        "boxes": _box(box),
    }


def _patient(patient: Patient) -> dict[str, Any]:
    lengths = {
        name: round(getattr(patient, name), 2)
        for name in (
            "head_radius", "neck_shaft", "anteversion", "neck_length", "cortex", "density",
            "joint_space", "narrowing", "osteophytes", "sclerosis", "thigh", "fat", "fold",
        )
    }  # fmt: skip
    return {"hardware": patient.hardware, "cast": "yes" if patient.cast else "no", **lengths}


def _acquisition(shot: Exposure) -> dict[str, Any]:
    view, technique = shot.view, shot.technique
    marker = technique.marker
    return {
        "take": shot.take,
        "scanner": shot.scanner.model,
        "roll": round(view.roll, 2),
        "tilt": round(view.tilt, 2),
        "centre_x": round(view.centre[0], 1),
        "centre_y": round(view.centre[1], 1),
        "field_mm": round(view.field, 1),
        "source_mm": round(view.source, 1),
        "detector_mm": round(view.detector, 1),
        "dose": round(technique.dose, 3),
        "scatter": round(technique.scatter, 3),
        "motion": round(technique.motion, 4),
        "motion_angle": round(technique.angle, 1) if technique.motion else "",
        "fault": technique.fault,
        "shutter": " ".join(f"{share:.3f}" for share in technique.shutter),
        "marker_down": "" if marker is None else round(marker[0], 3),
        "marker_across": "" if marker is None else round(marker[1], 3),
    }


def _box(box: Box | None) -> str:
    return "" if box is None else " ".join(f"{value:.1f}" for value in box)


def as_csv(rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

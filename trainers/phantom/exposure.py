"""One phantom radiograph: who, how exposed, by which machine; and its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from audit.draws import generator
from trainers.phantom.anatomy import femur_axes
from trainers.phantom.detector import expose, living, texture
from trainers.phantom.display import shown
from trainers.phantom.fracture import Box, fracture_box, fracture_centre
from trainers.phantom.patient import Patient, draw_patient
from trainers.phantom.people import Person
from trainers.phantom.scanner import SCANNERS, Scanner
from trainers.phantom.scene import line_integrals
from trainers.phantom.spec import PhantomSpec
from trainers.phantom.technique import Technique, draw_technique
from trainers.phantom.view import View, draw_view, project


@dataclass(frozen=True, slots=True)
class Exposure:
    """One radiograph: `size` pixels square; `seed` and `take` (repeats count up) for the noise."""

    patient: Patient
    view: View = field(default_factory=View)
    scanner: Scanner = SCANNERS[0]
    technique: Technique = field(default_factory=Technique)
    size: int = 256
    seed: int = 0
    take: int = 1

    @property
    def name(self) -> str:
        """SYN00012_AP, and SYN00012_AP_2 for a repeated exposure."""
        again = f"_{self.take}" if self.take > 1 else ""
        return f"SYN{self.patient.number:05d}_{self.view.position}{again}"


def exposures_of(person: Person, spec: PhantomSpec) -> list[Exposure]:
    """Every radiograph of this patient; depends on the specification and the person only."""
    patient = draw_patient(person, spec)
    scanner = SCANNERS[0]
    if not person.first_scanner:
        draw = generator(spec.seed, f"patient {person.number}", "scanner")
        scanner = SCANNERS[1 + int(draw.integers(len(SCANNERS) - 1))]
    found = []
    for at, position in enumerate(person.positions):
        take = 1 + person.positions[:at].count(position)
        view = draw_view(patient, position, take, spec)
        technique = draw_technique(patient, position, take, person.marked[at], spec)
        found.append(Exposure(patient, view, scanner, technique, spec.size, spec.seed, take))
    return found


def render(shot: Exposure, device: str = "cpu") -> npt.NDArray[np.float32]:
    """(size, size) float32 in [0, 1], bone bright.

    Depends on the exposure only. What is as large as the image is computed on `device`; random
    numbers are drawn on the CPU.
    """
    patient, size = shot.patient, shot.size
    draw = generator(shot.seed, shot.name, "image")
    rough = None
    if patient.fracture is not None:
        rough = patient.fracture.roughness * texture(size, size // 6, draw, device)
    maps = line_integrals(patient, shot.view, size, rough, device)
    photons = expose(living(maps, draw), shot.scanner, shot.technique, draw)
    pixels = shown(photons, patient, shot.scanner, shot.technique).cpu().numpy()
    return np.ascontiguousarray(pixels, dtype=np.float32)


def box_of(shot: Exposure) -> Box | None:
    """The fracture's box (xmin, ymin, xmax, ymax) in the pixels shown, or None."""
    box = fracture_box(shot.patient, shot.view, shot.size)
    if box is None or shot.patient.side == "L":
        return box
    return shot.size - box[2], box[1], shot.size - box[0], box[3]


def centre_of(shot: Exposure) -> tuple[float, float] | None:
    """(column, row) of the middle of the fracture in the pixels shown, or outside, or None."""
    found = fracture_centre(shot.patient, shot.view, shot.size)
    if found is None or shot.patient.side == "L":
        return found
    return shot.size - found[0], found[1]


def neck_of(shot: Exposure) -> tuple[float, float]:
    """(column, row) of the middle of the femoral neck, as it was before any fracture.

    In the pixels shown; it may lie outside them. 0.5 at a first pixel's centre.
    """
    middle = femur_axes(shot.patient).base * 0.55
    column, row = project(middle, shot.patient, shot.view, shot.size).tolist()
    return (column if shot.patient.side == "L" else shot.size - column), row

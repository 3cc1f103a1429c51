"""How one exposure was made: dose, motion, faults, collimation and the lead marker, as drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audit.draws import generator
from trainers.phantom.patient import Patient
from trainers.phantom.spec import PhantomSpec

Fault = Literal["none", "underexposed", "overexposed", "dark", "washed"]
FAULTS: tuple[Fault, ...] = ("underexposed", "overexposed", "dark", "washed")
DOSE = {"underexposed": 0.06, "overexposed": 40.0}


@dataclass(frozen=True, slots=True)
class Technique:
    """Nuisances of one exposure; shares are of the image's side, angles degrees.

    `dose`: factor on the scanner's photons. `scatter`: share of the photons behind the patient
    that were scattered (scatter fraction). `motion`: length of a straight movement, and its
    `angle`. `fault`: too few or too many photons, or a window too dark or too bright. `shutter`:
    covered at the top, bottom, left and right. `marker`: where the letter's upper outer corner
    is, down and from the lateral edge; None without one. `low`, `high`, `curve`: display window
    and exponent, as an operator happens to set them.
    """

    dose: float = 1.0
    scatter: float = 0.2
    motion: float = 0.0
    angle: float = 0.0
    fault: Fault = "none"
    shutter: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    marker: tuple[float, float] | None = None
    low: float = 0.35
    high: float = 0.05
    curve: float = 1.0


def draw_technique(
    patient: Patient, position: str, take: int, marked: bool, spec: PhantomSpec
) -> Technique:
    """Of the exposure number `take` of this patient in this projection; it knows no label."""
    draw = generator(spec.seed, f"patient {patient.number}", f"technique {position} {take}")
    fault = FAULTS[int(draw.integers(len(FAULTS)))]
    fault = fault if draw.random() < spec.exposure_fault else "none"
    moved, angle = draw.uniform(0.012, 0.04), draw.uniform(0, 180)
    moved = moved if draw.random() < spec.moved else 0.0
    top, low, left, right = (float(share) for share in draw.uniform(0, 0.07, 4))
    covered = draw.random() < spec.collimated
    place = float(draw.uniform(0.08, 0.25)), float(draw.uniform(0.08, 0.2))
    return Technique(
        dose=float(draw.uniform(0.7, 1.4)) * DOSE.get(fault, 1.0),
        scatter=float(draw.uniform(0.12, 0.35)),
        motion=float(moved),
        angle=float(angle),
        fault=fault,
        shutter=(top, low, left, right) if covered else (0.0, 0.0, 0.0, 0.0),
        marker=place if marked else None,
        low=float(draw.uniform(0.1, 0.6)),
        high=float(draw.uniform(-0.1, 0.2)),
        curve=float(draw.uniform(0.85, 1.2)),
    )

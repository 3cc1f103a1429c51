"""A phantom patient: anatomy, fracture and hardware as a few drawn numbers. Nobody real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.random import Generator

from audit.draws import generator

Hardware = Literal["none", "screws", "plate", "nail"]
KINDS: tuple[Hardware, ...] = ("screws", "plate", "nail")


@dataclass(frozen=True, slots=True)
class Fracture:
    """A plane through the femur and what the far fragment did.

    `kind`: through the neck, or intertrochanteric. `form`: "displaced" (far fragment moved
    up and turned), "impacted" (head tilted into the neck: a dense line), "gap" (nothing
    moved: a thin lucent line). `along`: 0 at the head, 1 at the base of the neck (or of the
    trochanters). `tilt`, `turn`, `varus`: degrees; `gap`, `rise`: mm.
    """

    kind: Literal["neck", "intertrochanteric"] = "neck"
    form: Literal["displaced", "impacted", "gap"] = "displaced"
    along: float = 0.5
    tilt: float = 0.0
    gap: float = 1.5
    rise: float = 10.0
    turn: float = 25.0
    varus: float = 10.0
    roughness: float = 1.2


@dataclass(frozen=True, slots=True)
class Patient:
    """One phantom patient. Lengths mm, angles degrees, densities relative to 1.

    `fold` above 0.6 puts a fold of fat before the hip, the lower the higher the number.
    """

    number: int = 1
    sex: Literal["F", "M"] = "F"
    age: int = 75
    side: Literal["R", "L"] = "R"
    head_radius: float = 23.0
    neck_shaft: float = 127.0
    anteversion: float = 12.0
    neck_length: float = 48.0
    cortex: float = 5.0
    density: float = 0.9
    joint_space: float = 4.0
    thigh: float = 75.0
    fat: float = 22.0
    fold: float = 0.0
    hardware: Hardware = "none"
    fracture: Fracture | None = None


def draw_patient(number: int, *, fractured: bool, seed: int) -> Patient:
    """Patient `number` of the data set with this seed; depends on nothing else."""
    draw = generator(seed, f"patient {number}", "anatomy")
    sex: Literal["F", "M"] = "F" if draw.random() < 0.65 else "M"
    age = int(min(99, max(40, draw.normal(78 if fractured else 73, 10))))
    size = draw.normal(1.0 if sex == "F" else 1.09, 0.045)
    frail = (age - 60) / 40 + draw.normal(0, 0.35)
    hardware: Hardware = "none"
    if draw.random() < 0.1:
        hardware = KINDS[int(draw.integers(len(KINDS)))]
    return Patient(
        number=number,
        sex=sex,
        age=age,
        side="R" if draw.random() < 0.5 else "L",
        head_radius=23.0 * size,
        neck_shaft=float(draw.normal(128, 5)),
        anteversion=float(draw.normal(12, 6)),
        neck_length=48.0 * size * draw.uniform(0.93, 1.07),
        cortex=float(max(2.8, 6.0 * size - 1.3 * frail + draw.normal(0, 0.3))),
        density=float(min(1.15, max(0.6, 1.0 - 0.16 * frail))),
        joint_space=float(draw.uniform(1.5, 5.0)),
        thigh=float(draw.normal(74, 8) * (1.0 if sex == "F" else 1.05)),
        fat=float(draw.uniform(8, 38)),
        fold=float(draw.uniform(0, 1)),
        hardware=hardware,
        fracture=_draw_fracture(draw) if fractured else None,
    )


def _draw_fracture(draw: Generator) -> Fracture:
    kind: Literal["neck", "intertrochanteric"] = (
        "neck" if draw.random() < 0.55 else "intertrochanteric"
    )
    chance = draw.random()
    form: Literal["displaced", "impacted", "gap"] = (
        "displaced" if chance < 0.85 else "impacted" if chance < 0.93 else "gap"
    )
    return Fracture(
        kind=kind,
        form=form,
        along=float(draw.uniform(0.25, 0.85)),
        tilt=float(draw.normal(0, 12)),
        gap=float(draw.uniform(1.2, 3.5)),
        rise=float(draw.uniform(14, 34)),
        turn=float(draw.uniform(20, 60)),
        varus=float(draw.uniform(12, 32)),
        roughness=float(draw.uniform(0.5, 2.2)),
    )

"""A phantom patient: anatomy, fracture and hardware as a few drawn numbers. Nobody real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.random import Generator

from audit.draws import generator
from trainers.phantom.people import Person
from trainers.phantom.spec import PhantomSpec

Hardware = Literal["none", "screws", "plate", "nail", "prosthesis"]
KINDS: tuple[Hardware, ...] = ("screws", "plate", "nail", "prosthesis")
Kind = Literal["neck", "intertrochanteric"]
Severity = Literal["occult", "slight", "moderate", "gross"]
OLD = 80


@dataclass(frozen=True, slots=True)
class Fracture:
    """A plane through the femur and what the far fragment did.

    `form`: "displaced" (far fragment moved up and turned), "impacted" (head tilted into the
    neck: a dense line), "gap" (nothing moved: a thin lucent line). `along`: 0 at the head, 1 at
    the base of the neck (or of the trochanters). `tilt` and `slant` turn the plane in the frontal
    plane and out of it: a slanted crack is no line on a frontal image. `turn`, `varus`: of a
    fragment. Degrees; `gap` (depth of an impaction), `rise`: mm. `severity`: "occult" is a hair
    line, "slight" undisplaced or impacted.
    """

    kind: Kind = "neck"
    form: Literal["displaced", "impacted", "gap"] = "displaced"
    severity: Severity = "gross"
    along: float = 0.5
    tilt: float = 0.0
    slant: float = 0.0
    gap: float = 1.5
    rise: float = 10.0
    turn: float = 25.0
    varus: float = 10.0
    roughness: float = 1.2

    @property
    def garden(self) -> str:
        """Garden's class of a neck fracture (1961): I impacted, II whole but not displaced, III
        partly, IV fully displaced; nothing for the others."""
        if self.kind != "neck":
            return ""
        if self.form != "displaced":
            return "I" if self.form == "impacted" else "II"
        return "IV" if self.severity == "gross" else "III"


@dataclass(frozen=True, slots=True)
class Patient:
    """One phantom patient. Lengths mm, angles degrees, densities relative to 1.

    `fold` above 0.6 puts a fold of fat before the hip, the lower the higher the number.
    `narrowing`: of the joint space under the roof; `osteophytes`: their size; `sclerosis`:
    thickness of dense bone above the roof.
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
    narrowing: float = 0.0
    osteophytes: float = 0.0
    sclerosis: float = 0.0
    thigh: float = 75.0
    fat: float = 22.0
    fold: float = 0.0
    hardware: Hardware = "none"
    cast: bool = False
    fracture: Fracture | None = None


def draw_patient(person: Person, spec: PhantomSpec) -> Patient:
    """The patient with this number in this set; depends on nothing else."""
    draw = generator(spec.seed, f"patient {person.number}", "anatomy")
    sex: Literal["F", "M"] = "F" if draw.random() < 0.65 else "M"
    age = int(min(97, OLD + draw.gamma(2.0, 3.0)) if person.old else draw.triangular(45, 78, OLD))
    size = draw.normal(1.0 if sex == "F" else 1.09, 0.045)
    frail = (age - 60) / 40 + draw.normal(0, 0.35)
    worn = draw.random() < spec.arthritis
    grade = draw.uniform(0.3, 1.0) if worn else 0.0
    hardware: Hardware = KINDS[int(draw.choice(4, p=(0.3, 0.25, 0.25, 0.2)))]
    if draw.random() >= spec.implant:
        hardware = "none"
    return Patient(
        number=person.number,
        sex=sex,
        age=age,
        side="R" if draw.random() < 0.5 else "L",
        head_radius=23.0 * size,
        neck_shaft=float(draw.normal(128, 5)),
        anteversion=float(draw.normal(12, 6)),
        neck_length=48.0 * size * draw.uniform(0.93, 1.07),
        cortex=float(max(2.8, 6.0 * size - 1.3 * frail + draw.normal(0, 0.3))),
        density=float(min(1.15, max(0.6, 1.0 - 0.16 * frail))),
        joint_space=(space := float(draw.uniform(2.5, 5.0))),
        narrowing=0.9 * grade * space,
        osteophytes=float(7.0 * grade * draw.uniform(0.5, 1.0)),
        sclerosis=float(4.0 * grade),
        thigh=float(draw.normal(74, 8) * (1.0 if sex == "F" else 1.05)),
        fat=float(draw.uniform(8, 38)),
        fold=float(draw.uniform(0, 1)),
        hardware=hardware,
        cast=draw.random() < spec.cast,
        fracture=draw_fracture(draw, spec, hardware) if person.fractured else None,
    )


def draw_fracture(draw: Generator, spec: PhantomSpec, hardware: Hardware) -> Fracture:
    """With a prosthesis there is no neck to break: the bone around its stem does."""
    kind: Kind = "intertrochanteric" if draw.random() < spec.intertrochanteric else "neck"
    kind = "intertrochanteric" if hardware == "prosthesis" else kind
    gross = max(0.0, 1 - spec.occult - spec.slight - spec.moderate)
    severities: tuple[Severity, ...] = ("occult", "slight", "moderate", "gross")
    chances = (spec.occult, spec.slight, spec.moderate, gross)
    severity = severities[int(draw.choice(4, p=[c / sum(chances) for c in chances]))]
    impacted = draw.random() < (0.6 if kind == "neck" else 0.0)
    moved = (14.0, 34.0) if severity == "gross" else (7.0, 15.0)
    part = {"gross": 1.0, "moderate": 0.5, "slight": 0.8, "occult": 0.12}[severity]
    still: Literal["impacted", "gap"] = "impacted" if impacted else "gap"
    slants = {"occult": (15.0, 35.0), "slight": (0.0, 20.0)}.get(severity, (0.0, 12.0))
    widths = {"occult": (0.3, 0.8)}.get(severity, (2.5, 5.0) if impacted else (1.5, 3.5))
    return Fracture(
        kind=kind,
        form="displaced" if severity in ("moderate", "gross") else still,
        severity=severity,
        along=float(draw.uniform(0.25, 0.85)),
        tilt=float(draw.normal(0, 20 if severity == "occult" else 12)),
        slant=float(draw.choice((-1, 1)) * draw.uniform(*slants)),
        gap=float(draw.uniform(*widths)),
        rise=float(draw.uniform(*moved)),
        turn=float(draw.uniform(20, 60) * part),
        varus=float(draw.uniform(12, 32) * part),
        roughness=float(draw.uniform(0.5, 2.2)),
    )

"""How a phantom is looked at: projection, pose and field of one exposure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from audit.draws import generator
from trainers.phantom.anatomy import femur_axes, turned
from trainers.phantom.patient import Patient
from trainers.phantom.projection import Beam, cone
from trainers.phantom.spec import PhantomSpec


@dataclass(frozen=True, slots=True)
class View:
    """One exposure with a cone beam. `position`: DICOM ViewPosition (0018,5101), AP or LL.

    `roll`, `tilt`: degrees of mispositioning; `centre`: where the central ray passes, on the
    detector's axes relative to the femoral head, mm; `field`: width and height of the field in
    the plane of the head, mm; `source`, `detector`: from the source to that plane and to the
    detector (0018,1111 and 0018,1110), mm.
    """

    position: Literal["AP", "LL"] = "AP"
    roll: float = 0.0
    tilt: float = 0.0
    centre: tuple[float, float] = (0.0, 28.0)
    field: float = 210.0
    source: float = 1000.0
    detector: float = 1150.0

    @property
    def magnification(self) -> float:
        """Of the head's plane on the detector (0018,1114)."""
        return self.detector / self.source


def draw_view(
    patient: Patient, position: Literal["AP", "LL"], take: int, spec: PhantomSpec
) -> View:
    """The exposure number `take` of this patient in this projection."""
    draw = generator(spec.seed, f"patient {patient.number}", f"{position} {take}")
    frontal = position == "AP"
    detector = float(draw.uniform(1000, 1200))
    gap = float(draw.uniform(90, 160) if frontal else draw.uniform(180, 280))
    across, down = draw.normal(14 if frontal else 0, 4), draw.normal(24, 4)
    roll, tilt, field = draw.normal(0, 4), draw.normal(0, 3), draw.uniform(*spec.field_mm)
    # A wider field is centred lower and nearer to the middle of the body, as for a pelvis.
    wide = max(0.0, field - 130)
    across, down = across - (0.18 * wide if frontal else 0.0), down + 0.12 * wide
    if draw.random() < spec.off_centre:
        angle, far = draw.uniform(0, 2 * math.pi), draw.uniform(0.35, 0.5) * field
        across, down = across + far * math.cos(angle), down + far * math.sin(angle)
    return View(
        position,
        roll=float(roll),
        tilt=float(tilt),
        centre=(float(across), float(down)),
        field=float(field),
        source=detector - gap,
        detector=detector,
    )


def frame(patient: Patient, view: View) -> Tensor:
    """(3, 3) rows: detector right, detector down, towards the source; patient coordinates.

    AP looks from the front. The lateral looks along the coronal plane from the middle of the
    body, nearly square to the neck, as an axiolateral projection does.
    """
    if view.position == "AP":
        base = torch.eye(3)
    else:
        axes = femur_axes(patient)
        down = axes.neck * 0.7 + axes.shaft * 0.3
        down = torch.tensor([float(down[0]), float(down[1]), 0.0])
        down = down / down.norm()
        front = torch.tensor([0.0, 0.0, 1.0])
        base = torch.stack([front, down, torch.linalg.cross(front, down)])
    return base @ turned((0, 1, 0), view.roll).T @ turned((0, 0, 1), view.tilt).T


def rays(patient: Patient, view: View, size: int, device: str = "cpu") -> Beam:
    """One ray per pixel centre, row by row: P = size²."""
    step = view.field / size
    at = (torch.arange(size, device=device) + 0.5) * step - view.field / 2
    uv = torch.stack([at.repeat(size), at.repeat_interleave(size)])
    axes = frame(patient, view)
    return cone(axes, torch.tensor(view.centre) @ axes[:2], view.source, uv)


def project(p: Tensor, patient: Patient, view: View, size: int) -> Tensor:
    """(..., 3) mm -> (..., 2) pixel coordinates (column, row), 0.5 at a first pixel's centre."""
    axes = frame(patient, view)
    away = p - torch.tensor(view.centre) @ axes[:2]
    uv = away @ axes[:2].T
    magnified = view.source / (view.source - away @ axes[2])
    return (uv * magnified[..., None] + view.field / 2) * size / view.field

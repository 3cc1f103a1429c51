"""How a phantom is looked at: projection, pose and field of one exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from audit.draws import generator
from trainers.phantom.anatomy import femur_axes, turned
from trainers.phantom.patient import Patient
from trainers.phantom.projection import Beam, beam
from trainers.phantom.spec import PhantomSpec


@dataclass(frozen=True, slots=True)
class View:
    """One exposure with a parallel beam. `position`: DICOM ViewPosition (0018,5101), AP or LL.

    `roll`, `tilt`: degrees of mispositioning; `centre`: field centre on the detector axes
    relative to the femoral head, mm; `field`: width and height of the field, mm.
    """

    position: Literal["AP", "LL"] = "AP"
    roll: float = 0.0
    tilt: float = 0.0
    centre: tuple[float, float] = (0.0, 28.0)
    field: float = 210.0
    marked: bool = True


def draw_view(
    patient: Patient, position: Literal["AP", "LL"], take: int, marked: bool, spec: PhantomSpec
) -> View:
    """The exposure number `take` of this patient in this projection."""
    draw = generator(spec.seed, f"patient {patient.number}", f"{position} {take}")
    return View(
        position,
        roll=float(draw.normal(0, 4)),
        tilt=float(draw.normal(0, 3)),
        centre=(float(draw.normal(14 if position == "AP" else 0, 4)), float(draw.normal(24, 4))),
        field=float(draw.uniform(*spec.field_mm)),
        marked=marked,
    )


def frame(patient: Patient, view: View) -> Tensor:
    """(3, 3) rows: detector right, detector down, towards the source; patient coordinates.

    AP looks from the front. The lateral looks along the coronal plane, square to a line
    halfway between neck and shaft, as an axiolateral projection does.
    """
    if view.position == "AP":
        base = torch.eye(3)
    else:
        axes = femur_axes(patient)
        down = axes.neck * 0.45 + axes.shaft * 0.55
        down = torch.tensor([float(down[0]), float(down[1]), 0.0])
        down = down / down.norm()
        front = torch.tensor([0.0, 0.0, 1.0])
        base = torch.stack([front, down, torch.linalg.cross(front, down)])
    return base @ turned((0, 1, 0), view.roll).T @ turned((0, 0, 1), view.tilt).T


def rays(patient: Patient, view: View, size: int) -> Beam:
    """A parallel beam, one ray per pixel centre, row by row: P = size²."""
    axes = frame(patient, view)
    step = view.field / size
    at = (torch.arange(size) + 0.5) * step - view.field / 2
    u, v = at + view.centre[0], at + view.centre[1]
    points = u[None, :, None] * axes[0] + v[:, None, None] * axes[1]
    return beam(points.reshape(-1, 3), -axes[2])


def project(p: Tensor, patient: Patient, view: View, size: int) -> Tensor:
    """(..., 3) mm -> (..., 2) pixel coordinates (column, row), 0.5 at a first pixel's centre."""
    uv = p @ frame(patient, view)[:2].T
    return (uv - torch.tensor(view.centre) + view.field / 2) * size / view.field

"""Soft tissue, and plaster around it, as quadrics."""

from __future__ import annotations

import torch

from trainers.phantom.anatomy import femur_axes, turned
from trainers.phantom.patient import Patient
from trainers.phantom.projection import Quadric, ellipsoid


def soft_tissue(patient: Patient, shrink: float = 0.0) -> list[Quadric]:
    """Trunk and thigh; `shrink` by the fat layer gives the muscle."""
    wide = patient.thigh
    down = femur_axes(patient).shaft
    front = torch.tensor([0.0, 0.0, 1.0])
    out = torch.linalg.cross(down, front)
    mid = torch.tensor([-0.10 * wide, 0.0, -12.0])
    turn = torch.stack([out, down, front], dim=1)
    lean = turned((0, 0, 1), 12)
    return [
        ellipsoid(  # trunk
            torch.tensor([-95.0, -170.0, -5.0]),
            (wide * 2.2 - shrink, wide * 3.0 - shrink, wide * 1.3 - shrink),
            torch.eye(3),
        ),
        ellipsoid(  # thigh
            mid + down * 120,
            (wide * 1.14 - shrink, 400.0 - shrink, wide * 1.1 - shrink),
            turn,
        ),
        ellipsoid(  # hip and buttock, running out along the thigh
            mid + torch.tensor([-14.0, -60.0, -8.0]),
            (wide * 1.3 - shrink, wide * 3.2 - shrink, wide * 1.2 - shrink),
            lean @ turn,
        ),
        ellipsoid(  # towards the other hip
            torch.tensor([-150.0, -60.0, -8.0]),
            (wide * 1.6 - shrink, wide * 1.5 - shrink, wide * 1.25 - shrink),
            torch.eye(3),
        ),
    ]


def belly_fold(patient: Patient) -> list[Quadric]:
    """An apron of fat before the hip whose lower edge crosses head or neck; on some only."""
    if patient.fold < 0.6:
        return []
    low, wide = 120.0 * (patient.fold - 0.6), patient.thigh
    centre = torch.tensor([-1.0 * wide, -75.0 + low, 1.05 * wide])
    return [ellipsoid(centre, (2.0 * wide, 72.0, 30.0), turned((0, 0, 1), 6))]


def plaster(patient: Patient) -> list[Quadric]:
    """The outside of a cast around hip and thigh, 9 mm thick; nothing without one."""
    return soft_tissue(patient, -9.0)[1:3] if patient.cast else []

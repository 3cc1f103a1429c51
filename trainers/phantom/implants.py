"""Implants as quadrics, in the coordinates of the unbroken femur."""

from __future__ import annotations

import torch

from trainers.phantom.anatomy import femur_axes
from trainers.phantom.patient import Patient
from trainers.phantom.projection import HalfSpace, Quadric, ellipsoid, rod


def metal(patient: Patient) -> list[Quadric]:
    """Screws, a sliding hip screw with plate, or a nail, as placed in the unbroken femur."""
    axes, r = femur_axes(patient), patient.head_radius
    out, down, neck, base = axes.lateral, axes.shaft, axes.neck, axes.base
    tip = -neck * 0.45 * r
    if patient.hardware == "screws":
        entry = base + down * 0.9 * r + neck * 0.55 * r
        shifts = [(0.0, -0.30), (0.28, 0.12), (-0.28, 0.16)]
        front = torch.tensor([0.0, 0.0, 1.0])
        return [
            rod(
                entry + front * r * a + down * r * (b - 0.55),
                tip + front * r * a + down * r * b,
                3.2,
                3.2,
            )
            for a, b in shifts
        ]
    if patient.hardware == "plate":
        corner = base + down * 0.9 * r + out * 0.72 * r
        bolts = [corner + down * r * step for step in (1.2, 2.1, 3.0)]
        return [
            rod(corner, tip + down * 3, 5.5, 4.5),
            rod(corner - down * 4, corner + down * 3.8 * r, 4.5, 4.5, 1.8),
            *[rod(bolt, bolt - out * 1.5 * r, 2.3, 2.3) for bolt in bolts],
        ]
    if patient.hardware == "nail":
        top = base - down * 0.9 * r + out * 0.15 * r
        return [
            rod(top, base + down * 7 * r, 6.5, 5.0),
            rod(base + down * 0.9 * r + out * 0.75 * r, tip + down * 3, 5.0, 5.0),
        ]
    if patient.hardware == "prosthesis":
        top = base - neck * 0.35 * r
        return [
            ellipsoid(torch.zeros(3), (0.68 * r,) * 3, torch.eye(3)),
            rod(torch.zeros(3), base - neck * 0.05 * r, 0.30 * r, 0.26 * r),
            rod(top + down * 2, base + down * 1.2 * r, 0.42 * r, 0.36 * r, 0.6),
            rod(base + down * 1.1 * r, base + down * 5.2 * r, 0.36 * r, 0.16 * r, 0.8),
        ]
    return []


def cup(patient: Patient) -> tuple[Quadric, Quadric, HalfSpace] | None:
    """A prosthesis' metal cup: its outside, its inside, and the side of its rim it lies on.

    The plastic within is as dark as soft tissue.
    """
    if patient.hardware != "prosthesis":
        return None
    r = patient.head_radius + 0.4 * patient.joint_space
    face = torch.tensor([0.62, 0.70, 0.30])
    face = face / face.norm()
    outside, inside = (
        ellipsoid(torch.zeros(3), (radius,) * 3, torch.eye(3)) for radius in (r, r - 2.5)
    )
    return outside, inside, HalfSpace(face, 0.0)

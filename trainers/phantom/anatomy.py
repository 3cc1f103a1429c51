"""The femur as quadrics, and the axes everything else is placed by.

Patient coordinates in mm: x lateral, y caudal, z anterior; the centre of the femoral head is
the origin. Always a right hip; a left one is its mirror image on the detector. Sizes are
those of anatomy textbooks, rounded; the shapes are approximations a reader should recognise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.phantom.patient import Patient
from trainers.phantom.projection import Quadric, ellipsoid, rod


@dataclass(frozen=True, slots=True)
class Bone:
    """Outer surface, cancellous inside and marrow of one bone, each a union of solids."""

    outer: list[Quadric]
    inner: list[Quadric]
    marrow: list[Quadric]


@dataclass(frozen=True, slots=True)
class Axes:
    """The femur's directions: `neck` from head to shaft, `shaft` caudal, `lateral`; `base`: mm."""

    neck: Tensor
    shaft: Tensor
    lateral: Tensor
    base: Tensor


def turned(axis: tuple[float, float, float], degrees: float) -> Tensor:
    """Rotation matrix about an axis (Rodrigues)."""
    k = torch.tensor(axis, dtype=torch.float32)
    k = k / k.norm()
    cross = torch.tensor([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    angle = math.radians(degrees)
    return torch.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def femur_axes(patient: Patient) -> Axes:
    shaft = torch.tensor([-0.10, 0.995, 0.0])
    shaft = shaft / shaft.norm()
    twist = math.radians(patient.anteversion)
    lateral = torch.tensor([math.cos(twist), 0.0, -math.sin(twist)])
    lateral = lateral - (lateral @ shaft) * shaft
    lateral = lateral / lateral.norm()
    angle = math.radians(180.0 - patient.neck_shaft)
    neck = math.cos(angle) * shaft + math.sin(angle) * lateral
    return Axes(neck, shaft, lateral, neck * patient.neck_length)


def femur(patient: Patient) -> Bone:
    axes, r = femur_axes(patient), patient.head_radius
    thick = patient.cortex / 5.0
    return Bone(
        outer=_femur_solids(axes, r, (0.0,) * 5),
        inner=_femur_solids(
            axes, r, (1.1 * thick, 1.6 * thick, 1.5 * thick, 2.4 * thick, 4 * thick)
        ),
        marrow=[
            rod(
                axes.base + axes.shaft * 48,
                axes.base + axes.shaft * 260,
                0.15 * r,
                max(2.5, 0.60 * r - patient.cortex),
            )
        ],
    )


def _femur_solids(axes: Axes, r: float, shell: tuple[float, ...]) -> list[Quadric]:
    """Head, neck, trochanters, metaphysis and shaft, each shrunk by its shell thickness."""
    head, neck, trochanter, flare, shaft = shell
    base, down, out = axes.base, axes.shaft, axes.lateral
    origin, eye = torch.zeros(3), torch.eye(3)
    back = torch.linalg.cross(down, out)
    back = back if float(back[2]) < 0 else -back
    middle = base * 0.55
    turn = torch.stack([out, down, back], dim=1)
    great = base + out * 0.40 * r - down * 0.18 * r + back * 0.15 * r
    tip = base + out * 0.36 * r - down * 0.62 * r + back * 0.28 * r
    lesser = base + down * 1.75 * r - out * 0.52 * r + back * 0.42 * r
    return [
        ellipsoid(origin, (r - head,) * 3, eye),
        rod(origin, middle, 0.80 * r - neck, 0.66 * r - neck, 0.86),
        rod(middle * 0.98, base, 0.66 * r - neck, 0.92 * r - neck, 0.80),
        ellipsoid(great, less((0.62 * r, 0.95 * r, 0.80 * r), trochanter), turn),
        ellipsoid(tip, less((0.40 * r, 0.62 * r, 0.52 * r), trochanter), turn),
        ellipsoid(lesser, less((0.34 * r, 0.55 * r, 0.42 * r), trochanter), turn),
        rod(
            base - down * 0.25 * r, base + down * 2.3 * r, 0.98 * r - flare, 0.66 * r - shaft, 0.88
        ),
        rod(base + down * 2.25 * r, base + down * 12 * r, 0.66 * r - shaft, 0.60 * r - shaft),
    ]


def less(axes: tuple[float, float, float], by: float) -> tuple[float, float, float]:
    x, y, z = (max(1.0, axis - by) for axis in axes)
    return x, y, z


def cancellous_groups(patient: Patient) -> list[tuple[Quadric, float]]:
    """What makes cancellous bone uneven: solids, and how much denser than the rest.

    The compressive group from the top of the head to the calcar, the tensile one along the top
    of the neck, and Ward's triangle between them, which age empties (Singh 1970).
    """
    axes, r = femur_axes(patient), patient.head_radius
    middle, across = axes.base * 0.55, torch.linalg.cross(axes.neck, torch.tensor([0.0, 0.0, 1.0]))
    top = across if float(across[1]) < 0 else -across
    along = torch.stack([axes.neck, top, torch.linalg.cross(axes.neck, top)], dim=1)
    frail = max(0.0, 1.0 - patient.density)
    return [
        (
            ellipsoid(
                torch.tensor([0.05 * r, 0.15 * r, 0.0]),
                (0.34 * r, 0.95 * r, 0.5 * r),
                turned((0, 0, 1), -22),
            ),
            0.16,
        ),
        (ellipsoid(middle + top * 0.32 * r, (0.95 * r, 0.13 * r, 0.4 * r), along), 0.16),
        (
            ellipsoid(axes.base * 0.75 - top * 0.05 * r, (0.5 * r, 0.26 * r, 0.42 * r), along),
            -0.1 - 0.4 * frail,
        ),
    ]

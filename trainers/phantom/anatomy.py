"""The hip as quadrics: femur, hemipelvis, soft tissue, metal.

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
from trainers.phantom.projection import HalfSpace, Quadric, ellipsoid, rod


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
        ellipsoid(great, _less((0.62 * r, 0.95 * r, 0.80 * r), trochanter), turn),
        ellipsoid(tip, _less((0.40 * r, 0.62 * r, 0.52 * r), trochanter), turn),
        ellipsoid(lesser, _less((0.34 * r, 0.55 * r, 0.42 * r), trochanter), turn),
        rod(
            base - down * 0.25 * r, base + down * 2.3 * r, 0.98 * r - flare, 0.66 * r - shaft, 0.88
        ),
        rod(base + down * 2.25 * r, base + down * 12 * r, 0.66 * r - shaft, 0.60 * r - shaft),
    ]


def _less(axes: tuple[float, float, float], by: float) -> tuple[float, float, float]:
    x, y, z = (max(1.0, axis - by) for axis in axes)
    return x, y, z


def compressive_trabeculae(patient: Patient) -> Quadric:
    """The dense group from the top of the head to the calcar, seen on every AP hip."""
    r = patient.head_radius
    return ellipsoid(
        torch.tensor([0.05 * r, 0.15 * r, 0.0]),
        (0.34 * r, 0.95 * r, 0.5 * r),
        turned((0, 0, 1), -22),
    )


def pelvis(patient: Patient) -> Bone:
    r = patient.head_radius / 23.0
    return Bone(_pelvis_solids(r, 0.0), _pelvis_solids(r, 1.7 * patient.cortex / 5.0), [])


def _pelvis_solids(r: float, shell: float) -> list[Quadric]:
    def at(x: float, y: float, z: float) -> Tensor:
        return torch.tensor([x, y, z]) * r

    def bar(a: Tensor, b: Tensor, first: float, last: float, flat: float = 1.0) -> Quadric:
        return rod(a, b, first * r - shell, last * r - shell, flat)

    def lump(
        centre: Tensor, axes: tuple[float, float, float], turn: Tensor, part: float = 1.0
    ) -> Quadric:
        scaled = (axes[0] * r, axes[1] * r, axes[2] * r)
        return ellipsoid(centre, _less(scaled, part * shell), turn)

    eye = torch.eye(3)
    return [
        lump(at(-5, -4, 0), (34, 35, 34), eye, 0.5),  # around the socket; the cavity is cut out
        lump(at(-19, -46, -4), (29, 48, 13), turned((0, 0, 1), 20)),  # body of the ilium
        lump(at(3, -36, 2), (21, 20, 13), turned((0, 0, 1), 30)),  # above the roof
        lump(at(-10, -112, -8), (66, 62, 8), turned((0, 1, 0), 25)),  # wing of the ilium
        bar(at(-28, 10, 12), at(-78, 30, 40), 11, 8.5),  # superior pubic ramus
        lump(at(-84, 42, 40), (12, 21, 9), turned((0, 0, 1), 12)),  # body of the pubis
        bar(at(-80, 55, 38), at(-52, 84, -2), 7, 8),  # inferior pubic ramus
        bar(at(-22, 14, -16), at(-38, 76, -22), 15, 14),  # ischium
        lump(at(-41, 80, -22), (17, 19, 16), eye),  # ischial tuberosity
    ]


def socket(patient: Patient, shell: float = 0.0) -> tuple[Quadric, HalfSpace]:
    """The cavity of the acetabulum (head, joint space, `shell`) and the side its wall is on."""
    r = patient.head_radius + patient.joint_space + shell
    open_to = torch.tensor([0.66, 0.66, 0.35])  # caudal-lateral and forward
    open_to = open_to / open_to.norm()
    return ellipsoid(torch.zeros(3), (r, r, r), torch.eye(3)), HalfSpace(open_to, 9.0)


def soft_tissue(patient: Patient, shrink: float = 0.0) -> list[Quadric]:
    """Trunk and thigh; `shrink` by the fat layer gives the muscle."""
    wide = patient.thigh
    down = femur_axes(patient).shaft
    front = torch.tensor([0.0, 0.0, 1.0])
    out = torch.linalg.cross(down, front)
    mid = torch.tensor([-0.10 * wide, 0.0, -12.0])
    return [
        ellipsoid(
            torch.tensor([-95.0, -110.0, -5.0]),
            (wide * 2.2 - shrink, wide * 3.0 - shrink, wide * 1.25 - shrink),
            torch.eye(3),
        ),
        ellipsoid(
            mid + down * 90,
            (wide * 1.14 - shrink, 330.0, wide * 1.12 - shrink),
            torch.stack([out, down, front], dim=1),
        ),
        ellipsoid(
            mid - down * 45,
            (wide * 1.2 - shrink, wide * 2.0 - shrink, wide * 1.15 - shrink),
            torch.eye(3),
        ),
    ]


def belly_fold(patient: Patient) -> list[Quadric]:
    """An apron of fat before the hip whose lower edge crosses head or neck; on some only."""
    if patient.fold < 0.6:
        return []
    low = 120.0 * (patient.fold - 0.6)
    return [ellipsoid(torch.tensor([-60.0, -75.0 + low, 82.0]), (150.0, 72.0, 30.0), torch.eye(3))]


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
    return []

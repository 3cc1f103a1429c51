"""A fracture: where its plane lies, how each fragment moves, and where it is on the detector."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.phantom.anatomy import femur_axes, turned
from trainers.phantom.patient import Fracture, Patient
from trainers.phantom.projection import HalfSpace, Motion
from trainers.phantom.view import View, project

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Fragment:
    """What of the femur lies on one side, and the motion that then carries it.

    `sides`: the fracture plane first, then others that bound it. `facing`: +1 for the head side,
    -1 for the other, whose half-space looks the other way.
    """

    sides: tuple[HalfSpace, ...]
    motion: Motion
    facing: float


def plane(patient: Patient, fracture: Fracture) -> tuple[Tensor, Tensor, float]:
    """(point, unit normal towards the shaft, radius in mm of the bone around the point)."""
    axes, r = femur_axes(patient), patient.head_radius
    if fracture.kind == "neck":
        reach = 0.78 * r + (patient.neck_length - 0.9 * r) * fracture.along
        return axes.neck * reach, _aimed(axes.neck, fracture), 0.95 * r
    across = 1.9 * axes.lateral + 1.2 * axes.shaft
    normal = _aimed(across / across.norm(), fracture)
    point = axes.base + axes.shaft * 0.35 * r + normal * (fracture.along - 0.5) * 0.5 * r
    return point, normal, 1.45 * r


def _aimed(normal: Tensor, fracture: Fracture) -> Tensor:
    """Turned in the coronal plane by the tilt, then forward by the slant."""
    slant = math.radians(fracture.slant)
    tilted = turned((0, 0, 1), fracture.tilt) @ normal
    aimed = math.cos(slant) * tilted + math.sin(slant) * torch.tensor([0.0, 0.0, 1.0])
    unit: Tensor = aimed / aimed.norm()
    return unit


def fragments(patient: Patient) -> list[Fragment]:
    """Head side first. One whole fragment when nothing is broken.

    A prosthesis has taken the place of head and neck: nothing of them is left.
    """
    still = Motion(torch.eye(3), torch.zeros(3), torch.zeros(3))
    kept = (resection(patient),) if patient.hardware == "prosthesis" else ()
    found = patient.fracture
    if found is None:
        everywhere = HalfSpace(torch.tensor([1.0, 0.0, 0.0]), 1e5)
        return [Fragment(kept or (everywhere,), still, 0.0)]
    point, normal, _ = plane(patient, found)
    at = float(normal @ point)
    open_by = found.gap / 2 if found.form == "gap" else 0.0
    head = HalfSpace(normal, at - open_by)
    shaft = HalfSpace(-normal, -(at + open_by))
    first, second = _motions(patient, found, point, still)
    return [Fragment((head, *kept), first, 1.0), Fragment((shaft, *kept), second, -1.0)]


def resection(patient: Patient) -> HalfSpace:
    """The side of the shaft of the plane in which a surgeon cuts the neck."""
    axes, r = femur_axes(patient), patient.head_radius
    at = axes.base - axes.neck * 0.45 * r
    return HalfSpace(-axes.neck, float(-axes.neck @ at))


def _motions(
    patient: Patient, found: Fracture, point: Tensor, still: Motion
) -> tuple[Motion, Motion]:
    """The head tilts about its centre; the shaft rises, turns out and falls into varus."""
    axes = femur_axes(patient)
    if found.form == "gap":
        return still, still
    if found.form == "impacted":
        tilt = Motion(turned((0, 0, 1), found.varus / 2), torch.zeros(3), torch.zeros(3))
        return tilt, Motion(torch.eye(3), -axes.neck * found.gap, point)
    out = turned(_three(axes.shaft), found.turn)
    if found.kind == "neck":
        tilt = Motion(turned((0, 0, 1), -found.varus), torch.zeros(3), torch.zeros(3))
        shift = -axes.shaft * found.rise + axes.lateral * 0.15 * found.rise
        return tilt, Motion(out, shift, axes.base)
    lean = turned((0, 0, 1), 0.8 * found.varus + 4.0)
    shift = -axes.shaft * 0.5 * found.rise - axes.lateral * 0.35 * found.rise
    return still, Motion(lean @ out, shift, point)


def _three(v: Tensor) -> tuple[float, float, float]:
    x, y, z = v.tolist()
    return x, y, z


def fracture_box(patient: Patient, view: View, size: int, margin: float = 5.0) -> Box | None:
    """(xmin, ymin, xmax, ymax) in pixels around both broken surfaces, or None when out of view."""
    found = patient.fracture
    if found is None:
        return None
    point, normal, radius = plane(patient, found)
    rim = _rim(patient, point, normal, radius)
    ends = torch.cat([fragment.motion.apply(rim) for fragment in fragments(patient)])
    px = project(ends, patient, view, size)
    room = margin * size / view.field
    low = (px.min(0).values - room).clamp(0, size)
    high = (px.max(0).values + room).clamp(0, size)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return box if box[2] - box[0] > 2 and box[3] - box[1] > 2 else None


def displacement(patient: Patient) -> float:
    """mm by which the fragments parted at the middle of the fracture; 0 without one."""
    if patient.fracture is None:
        return 0.0
    point, _, _ = plane(patient, patient.fracture)
    head, shaft = (part.motion.apply(point) for part in fragments(patient))
    return float((head - shaft).norm())


def fracture_centre(patient: Patient, view: View, size: int) -> tuple[float, float] | None:
    """(column, row) of the middle of the fracture, which may be outside the image, or None."""
    if patient.fracture is None:
        return None
    point, _, _ = plane(patient, patient.fracture)
    ends = torch.stack([part.motion.apply(point) for part in fragments(patient)])
    column, row = project(ends.mean(0), patient, view, size).tolist()
    return column, row


def _rim(patient: Patient, point: Tensor, normal: Tensor, radius: float) -> Tensor:
    """Points on a disc of the bone's radius in the fracture plane: flatter front to back."""
    front = torch.tensor([0.0, 0.0, 1.0])
    front = front - (front @ normal) * normal
    front = front / front.norm()
    side = torch.linalg.cross(normal, front)
    angle = torch.linspace(0, 2 * torch.pi, 25)[:-1, None]
    across: Tensor = radius * torch.cos(angle) * side
    thick: Tensor = 0.9 * patient.head_radius * torch.sin(angle) * front
    return point + across + thick

"""The hemipelvis as quadrics: ilium, socket, pubis, ischium; and what wears the joint."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.phantom.anatomy import Bone, less, turned
from trainers.phantom.patient import Patient
from trainers.phantom.projection import HalfSpace, Quadric, ellipsoid, rod


def pelvis(patient: Patient) -> Bone:
    r = patient.head_radius / 23.0
    spurs: list[Quadric] = []
    inner: list[Quadric] = []
    if patient.osteophytes:
        size = (1.1 * patient.osteophytes, 0.6 * patient.osteophytes, 9.0)
        rim = torch.tensor([27.0, -18.0, 4.0]) * r
        spurs = [ellipsoid(rim, size, turned((0, 0, 1), 25))]
        inner = [ellipsoid(rim, less(size, 1.2), turned((0, 0, 1), 25))]
    shell = 1.7 * patient.cortex / 5.0
    return Bone(_pelvis_solids(r, 0.0) + spurs, _pelvis_solids(r, shell) + inner, [])


def worn(patient: Patient) -> list[tuple[Quadric, float]]:
    """Dense bone above a worn joint's roof, with cysts in it: solids and how much denser."""
    if not patient.sclerosis:
        return []
    r, thick = patient.head_radius, patient.sclerosis
    roof = torch.tensor([0.25 * r, -r - 0.6 * thick - 1.0, 0.0])
    found = [(ellipsoid(roof, (0.6 * r, thick, 0.5 * r), turned((0, 0, 1), 18)), 0.8)]
    if thick > 2.0:
        cyst = torch.tensor([0.1 * r, -r - 1.6 * thick, 2.0])
        found.append((ellipsoid(cyst, (thick, 0.9 * thick, thick), torch.eye(3)), -0.5))
    return found


def _pelvis_solids(r: float, shell: float) -> list[Quadric]:
    def at(x: float, y: float, z: float) -> Tensor:
        return torch.tensor([x, y, z]) * r

    def bar(a: Tensor, b: Tensor, first: float, last: float, flat: float = 1.0) -> Quadric:
        return rod(a, b, first * r - shell, last * r - shell, flat)

    def lump(
        centre: Tensor, axes: tuple[float, float, float], turn: Tensor, part: float = 1.0
    ) -> Quadric:
        scaled = (axes[0] * r, axes[1] * r, axes[2] * r)
        return ellipsoid(centre, less(scaled, part * shell), turn)

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
    """The cavity of the acetabulum (head, joint space, `shell`) and the side its wall is on.

    Wear brings the head up: the cavity lies lower by half the narrowing and is smaller by as
    much, so that the space under the roof is narrower and the one below as it was.
    """
    lower = patient.narrowing / 2
    r = patient.head_radius + patient.joint_space - lower + shell
    open_to = torch.tensor([0.66, 0.66, 0.35])  # caudal-lateral and forward
    open_to = open_to / open_to.norm()
    centre = torch.tensor([0.0, lower, 0.0])
    return ellipsoid(centre, (r, r, r), torch.eye(3)), HalfSpace(open_to, 9.0)

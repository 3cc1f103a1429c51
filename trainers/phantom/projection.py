"""Closed-form projection: chords of a beam through quadrics, their unions, and Beer–Lambert.

Lengths are millimetres, attenuation coefficients 1/mm. A ray is point + t · direction with a
unit direction, so an interval of t is a length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

NEVER = 1e6  # mm; beyond every scene
Spans = tuple[Tensor, Tensor]  # entry and exit, (K, P)
Window = tuple[slice, slice]  # lines and columns of the detector


@dataclass(frozen=True, slots=True)
class Motion:
    """p -> rotation · (p - pivot) + pivot + shift."""

    rotation: Tensor
    shift: Tensor
    pivot: Tensor

    def apply(self, p: Tensor) -> Tensor:
        return (p - self.pivot) @ self.rotation.T + self.pivot + self.shift


@dataclass(frozen=True, slots=True)
class Quadric:
    """The solid x² + y² + e·z² <= (r0 + r1·z)², low <= z <= high, in its own coordinates.

    Own coordinates are `frame` · (p - centre). e = 1 is an ellipsoid (the frame scales it),
    e = 0 a rod or, with r1, a cone; r0 + r1·z > 0 throughout, so it is convex.
    """

    centre: Tensor  # (3,) mm
    frame: Tensor  # (3, 3), rows are own axes
    e: float
    r0: float
    r1: float
    low: float
    high: float

    def moved(self, motion: Motion) -> Quadric:
        """The same solid after a rigid motion."""
        return replace(self, centre=motion.apply(self.centre), frame=self.frame @ motion.rotation.T)

    def placement(self) -> Tensor:
        """(4, 4): homogeneous patient coordinates -> own coordinates."""
        matrix = torch.eye(4)
        matrix[:3, :3] = self.frame
        matrix[:3, 3] = -self.frame @ self.centre
        return matrix

    def form(self) -> Tensor:
        """(4, 4) symmetric S with pᵀSp <= 0 inside, p homogeneous patient coordinates."""
        own = torch.diag(torch.tensor([1.0, 1.0, self.e - self.r1**2, -(self.r0**2)]))
        own[2, 3] = own[3, 2] = -self.r0 * self.r1
        place = self.placement()
        return place.T @ own @ place


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """Points with normal · p <= offset."""

    normal: Tensor
    offset: float

    def moved(self, motion: Motion) -> HalfSpace:
        normal = motion.rotation @ self.normal
        at = motion.apply(self.normal * self.offset)
        return HalfSpace(normal, float(normal @ at))


@dataclass(frozen=True, slots=True)
class Beam:
    """Parallel rays: a point on each, homogeneous, (4, P), and one unit `direction` (3,).

    `squares` (10, P): the products of the points' coordinates, i <= j.
    """

    points: Tensor
    squares: Tensor
    direction: Tensor

    def inside(self, window: Window, size: int) -> Beam:
        """The rays of a rectangle of a square detector of `size` pixels a side."""
        lines, columns = window
        points, squares = (
            table.view(-1, size, size)[:, lines, columns].reshape(len(table), -1)
            for table in (self.points, self.squares)
        )
        return Beam(points, squares, self.direction)


def beam(points: Tensor, direction: Tensor) -> Beam:
    """Points (P, 3) in mm, direction (3,), made a unit vector."""
    p = torch.cat([points.T, torch.ones(1, len(points))])
    i, j = torch.triu_indices(4, 4)
    return Beam(p, p[i] * p[j], direction / direction.norm())


def ellipsoid(centre: Tensor, axes: Sequence[float], turn: Tensor) -> Quadric:
    """Semi-axes (mm) along the columns of the rotation `turn`."""
    scale = torch.diag(1.0 / torch.tensor(axes))
    return Quadric(centre, scale @ turn.T, 1.0, 1.0, 0.0, -1.0, 1.0)


def rod(start: Tensor, end: Tensor, first: float, last: float, flat: float = 1.0) -> Quadric:
    """A capped cylinder or cone from `start` to `end`; radii in mm; `flat` squeezes it.

    The squeezed direction is the patient's front-to-back axis as far as the rod allows.
    """
    along = end - start
    length = float(along.norm())
    axis = along / length
    front = torch.tensor([0.0, 0.0, 1.0])
    front = front - (front @ axis) * axis
    if float(front.norm()) < 1e-3:
        front = torch.tensor([0.0, 1.0, 0.0]) - axis[1] * axis
    front = front / front.norm()
    side = torch.linalg.cross(front, axis)
    frame = torch.stack([side, front / flat, axis])
    return Quadric(start, frame, 0.0, first, (last - first) / length, 0.0, length)


def intervals(solids: Sequence[Quadric], rays: Beam) -> Spans:
    """Where each ray is inside each solid: entry and exit, (K, P); empty where entry >= exit.

    t solves a·t² + 2b·t + c = 0 with a = dᵀSd, b = dᵀSp, c = pᵀSp; b² - ac is a quadratic
    form of p, so one product gives it for every ray. Divided through by a², b by a.
    """
    d = torch.cat([rays.direction, torch.zeros(1)])
    forms = torch.stack([solid.form() for solid in solids])  # (K, 4, 4)
    sd = forms @ d  # (K, 4)
    a = sd @ d
    a = torch.where(a.abs() < 1e-9, 1e-9, a)
    inside = sd[:, :, None] * sd[:, None, :] - a[:, None, None] * forms
    middle = -(sd / a[:, None]) @ rays.points
    root2 = (_packed(inside) / (a * a)[:, None]) @ rays.squares
    root = root2.clamp(min=0).sqrt()  # a miss gives an empty span
    spans = middle - root, middle + root
    spans = _steep(spans, solids, a, root2, rays.direction)
    return _slab(spans, solids, rays)


def _packed(forms: Tensor) -> Tensor:
    """(K, 4, 4) symmetric -> (K, 10) weights of the products i <= j."""
    i, j = torch.triu_indices(4, 4)
    return forms[:, i, j] * torch.where(i == j, 1.0, 2.0)


def _steep(
    spans: Spans, solids: Sequence[Quadric], a: Tensor, root2: Tensor, direction: Tensor
) -> Spans:
    """a < 0: the ray is steeper than a cone's flank and leaves this nappe by a cap only."""
    enter, leave = spans
    for k in torch.nonzero(a < 0).flatten().tolist():
        widening = solids[k].r1 * float(solids[k].frame[2] @ direction) > 0
        miss = root2[k] < 0  # never crosses the flank: inside from cap to cap
        first = leave[k].clone() if widening else torch.full_like(leave[k], -NEVER)
        last = torch.full_like(leave[k], NEVER) if widening else enter[k].clone()
        enter[k] = torch.where(miss, -NEVER, first)
        leave[k] = torch.where(miss, NEVER, last)
    return enter, leave


def _slab(spans: Spans, solids: Sequence[Quadric], rays: Beam) -> Spans:
    """Between the caps, low <= z <= high; ellipsoids end there by themselves."""
    capped = [k for k, solid in enumerate(solids) if solid.e == 0]
    if not capped:
        return spans
    enter, leave = spans
    z = torch.stack([solids[k].placement()[2] for k in capped])  # (C, 4)
    rate = z[:, :3] @ rays.direction
    rate = torch.where(rate.abs() < 1e-7, 1e-7, rate)[:, None]
    caps = torch.tensor([[solids[k].low, solids[k].high] for k in capped])
    first = torch.where(rate[:, 0] > 0, caps[:, 0], caps[:, 1])[:, None] / rate
    last = torch.where(rate[:, 0] > 0, caps[:, 1], caps[:, 0])[:, None] / rate
    at = (z / rate) @ rays.points
    enter[capped] = torch.maximum(enter[capped], first - at)
    leave[capped] = torch.minimum(leave[capped], last - at)
    return enter, leave


def cut(spans: Spans, rays: Beam, side: HalfSpace, rough: Tensor | None = None) -> Spans:
    """What of the spans (K, P) lies in a half-space; `rough` (P,) shifts its plane per ray, mm."""
    limit = side.offset - side.normal @ rays.points[:3]
    limit = limit if rough is None else limit + rough
    rate = float(side.normal @ rays.direction)
    rate = rate if abs(rate) > 1e-7 else 1e-7
    if rate > 0:
        return spans[0], torch.minimum(spans[1], limit / rate)
    return torch.maximum(spans[0], limit / rate), spans[1]


def within(spans: Spans, hole: Spans) -> Spans:
    """What of the spans (K, P) lies in one convex solid, given by its span (1, P)."""
    return torch.maximum(spans[0], hole[0]), torch.minimum(spans[1], hole[1])


def union_length(spans: Spans) -> Tensor:
    """Length of the union of spans (K, P) -> (P,): overlaps count once."""
    lengths = (spans[1] - spans[0]).clamp(min=0)
    total = lengths.sum(0)
    if len(lengths) > 1:
        several = torch.nonzero((lengths > 0).sum(0) > 1).flatten()
        total[several] = _merged(spans[0][:, several], spans[1][:, several])
    return total


def _merged(enter: Tensor, leave: Tensor) -> Tensor:
    """Sweep the spans of each ray in the order of their entries."""
    leave = torch.maximum(enter, leave)
    enter, order = enter.sort(dim=0)
    leave = leave.gather(0, order)
    covered, total = leave[0], leave[0] - enter[0]
    for k in range(1, len(enter)):
        total = total + (leave[k] - torch.maximum(enter[k], covered)).clamp(min=0)
        covered = torch.maximum(covered, leave[k])
    return total


def beer_lambert(integrals: Tensor, photons: float) -> Tensor:
    """Expected photons per pixel behind ∫μ ds: N = N0 · exp(-∫μ ds)."""
    return photons * torch.exp(-integrals)

"""Closed-form projection: chords of a beam through quadrics, their unions, and Beer–Lambert.

Lengths are millimetres, attenuation coefficients 1/mm. Geometry is worked out on the CPU in a
few small matrices; what is as large as the image is computed on the device of the beam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

NEVER = 1e6  # mm; beyond every scene
TINY = 1e-9  # a ray along a flank or a cap, as float32 leaves it
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

    def corners(self) -> Tensor:
        """(8, 3) mm: of a box around the solid."""
        wide = max(abs(self.r0 + self.r1 * z) for z in (self.low, self.high))
        reach = torch.tensor([[-wide, wide], [-wide, wide], [self.low, self.high]])
        own = torch.cartesian_prod(*reach)
        corners: Tensor = self.centre + own @ torch.linalg.inv(self.frame).T
        return corners

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
    """Rays of a cone from one source, through a grid of points (u, v) in a plane.

    With g = (1, u, v) a ray is `points` g + t · `steps` g; t is the depth along the central ray,
    mm, 0 in the plane, and `stretch` (P,) the length of a ray per unit of t. `monomials`
    (6, P): 1, u, v, u², uv, v². `source` (3,); `points`, `steps` (3, 3).
    """

    source: Tensor
    points: Tensor
    steps: Tensor
    monomials: Tensor
    stretch: Tensor

    @property
    def grid(self) -> Tensor:
        """(3, P): 1, u, v."""
        return self.monomials[:3]

    def inside(self, window: Window, size: int) -> Beam:
        """The rays of a rectangle of a square detector of `size` pixels a side."""
        lines, columns = window
        monomials = self.monomials.view(-1, size, size)[:, lines, columns].reshape(6, -1)
        stretch = self.stretch.view(size, size)[lines, columns].reshape(-1)
        return replace(self, monomials=monomials, stretch=stretch)

    def linear(self, weights: Tensor) -> Tensor:
        """Forms (K, 3) of g -> their values (K, P) on the beam's device."""
        return weights.to(self.grid) @ self.grid

    def quadratic(self, forms: Tensor) -> Tensor:
        """Symmetric forms (K, 3, 3) of g -> their values (K, P)."""
        i, j = torch.tensor([[0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]])
        packed = forms[:, i, j] * torch.where(i == j, 1.0, 2.0)
        return packed.to(self.monomials) @ self.monomials


def cone(axes: Tensor, centre: Tensor, distance: float, uv: Tensor) -> Beam:
    """Rays from a source `distance` mm in front of `centre`, where the central ray goes.

    `axes` (3, 3): rows right, down, towards the source. `uv` (2, P): where each ray crosses the
    plane of right and down through `centre`, mm from it.
    """
    u, v = uv
    monomials = torch.stack([torch.ones_like(u), u, v, u * u, u * v, v * v])
    right, down, back = axes
    return Beam(
        source=centre + distance * back,
        points=torch.stack([centre, right, down], dim=1),
        steps=torch.stack([-back, right / distance, down / distance], dim=1),
        monomials=monomials,
        stretch=(1 + (u * u + v * v) / distance**2).sqrt(),
    )


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
    """Where each ray is inside each solid: entry and exit as t, (K, P); empty if entry >= exit.

    t solves a·t² + 2b·t + c = 0 with a = dᵀSd, b = dᵀSp, c = pᵀSp for the step d and the point
    p of a ray. Both are linear in (1, u, v), so a and b are quadratic forms of it; and so is
    b² - ac, because it may be taken at the source s, the same for all: (dᵀSs)² - (sᵀSs)·dᵀSd.
    """
    forms = torch.stack([solid.form() for solid in solids]).double()  # (K, 4, 4)
    d, p, s = _homogeneous(rays)
    flat = d.T @ forms @ d  # (K, 3, 3)
    half = d.T @ forms @ p
    towards = (forms @ s) @ d  # (K, 3)
    at_source = (forms @ s) @ s  # (K,)
    inside = towards[:, :, None] * towards[:, None, :] - at_source[:, None, None] * flat
    quadratics = torch.cat([flat, (half + half.mT) / 2, inside])
    a, b, root2 = rays.quadratic(quadratics).chunk(3)
    conical = torch.tensor([solid.r1 != 0 for solid in solids], device=a.device)[:, None]
    a = torch.where(conical & (a < 0), a.clamp(max=-TINY), a.clamp(min=TINY))
    root = root2.clamp(min=0).sqrt() / a.abs()  # a miss gives an empty span
    middle = -b / a
    spans = _steep((middle - root, middle + root), solids, a, root2, rays)
    return _slab(spans, solids, rays)


def _homogeneous(rays: Beam) -> tuple[Tensor, Tensor, Tensor]:
    """Steps (4, 3), points (4, 3) and source (4,), in double precision."""
    last = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    steps = torch.cat([rays.steps.double(), last[:1]])
    points = torch.cat([rays.points.double(), last[1:]])
    return steps, points, torch.cat([rays.source.double(), last[1, :1]])


def _steep(spans: Spans, solids: Sequence[Quadric], a: Tensor, root2: Tensor, rays: Beam) -> Spans:
    """a < 0: the ray is steeper than a cone's flank and leaves this nappe by a cap only."""
    enter, leave = spans
    for k in [k for k, solid in enumerate(solids) if solid.r1 != 0]:
        steep = a[k] < 0
        if not steep.any():
            continue
        rate = rays.linear((solids[k].frame[2] @ rays.steps)[None])[0]
        widening = rate * solids[k].r1 > 0
        miss = root2[k] < 0  # never crosses the flank: inside from cap to cap
        first = torch.where(widening & ~miss, leave[k], -NEVER)
        last = torch.where(widening | miss, NEVER, enter[k])
        enter[k] = torch.where(steep, first, enter[k])
        leave[k] = torch.where(steep, last, leave[k])
    return enter, leave


def _slab(spans: Spans, solids: Sequence[Quadric], rays: Beam) -> Spans:
    """Between the caps, low <= z <= high; ellipsoids end there by themselves."""
    capped = [k for k, solid in enumerate(solids) if solid.e == 0]
    if not capped:
        return spans
    enter, leave = spans
    z = torch.stack([solids[k].placement()[2] for k in capped])  # (C, 4)
    rate = _not_zero(rays.linear(z[:, :3] @ rays.steps))
    start = z[:, :3] @ rays.points
    start[:, 0] += z[:, 3]
    at = rays.linear(start)
    low, high = torch.tensor([[solids[k].low, solids[k].high] for k in capped]).to(at).T
    one, two = (low[:, None] - at) / rate, (high[:, None] - at) / rate
    enter[capped] = torch.maximum(enter[capped], torch.minimum(one, two))
    leave[capped] = torch.minimum(leave[capped], torch.maximum(one, two))
    return enter, leave


def _not_zero(rate: Tensor) -> Tensor:
    return torch.where(rate.abs() < TINY, TINY, rate)


def cut(spans: Spans, rays: Beam, side: HalfSpace, rough: Tensor | None = None) -> Spans:
    """What of the spans (K, P) lies in a half-space; `rough` (P,) shifts its plane per ray, mm."""
    limit = side.offset - rays.linear((side.normal @ rays.points)[None])[0]
    limit = limit if rough is None else limit + rough
    rate = _not_zero(rays.linear((side.normal @ rays.steps)[None])[0])
    at = limit / rate
    first = torch.where(rate > 0, -NEVER, at)
    last = torch.where(rate > 0, at, NEVER)
    return torch.maximum(spans[0], first), torch.minimum(spans[1], last)


def within(spans: Spans, hole: Spans) -> Spans:
    """What of the spans (K, P) lies in one convex solid, given by its span (1, P)."""
    return torch.maximum(spans[0], hole[0]), torch.minimum(spans[1], hole[1])


def union_length(spans: Spans, rays: Beam) -> Tensor:
    """Length of the union of spans (K, P) along each ray, mm, (P,): overlaps count once."""
    lengths = (spans[1] - spans[0]).clamp(min=0)
    total = lengths.sum(0)
    if len(lengths) > 1:
        several = torch.nonzero((lengths > 0).sum(0) > 1).flatten()
        total[several] = _merged(spans[0][:, several], spans[1][:, several])
    return total * rays.stretch


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

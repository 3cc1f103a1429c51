"""∫μ ds of a phantom patient along every ray: anatomy times attenuation, summed exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.phantom import anatomy
from trainers.phantom.fracture import Fragment, fragments
from trainers.phantom.patient import Patient
from trainers.phantom.projection import Beam, Quadric, Window, cut, intervals, union_length, within
from trainers.phantom.view import View, project, rays

# 1/mm near 60 keV, rounded from NIST XCOM for ICRU tissues; metal lowered for beam hardening.
MUSCLE, FAT, CORTICAL, CANCELLOUS, MARROW, METAL = 0.0205, 0.0182, 0.060, 0.0285, 0.0190, 0.16


@dataclass(frozen=True, slots=True)
class LineIntegrals:
    """(size, size) maps of ∫μ ds: everything, and the cancellous bone's part of it (mm)."""

    total: Tensor
    cancellous: Tensor
    soft: Tensor


def line_integrals(
    patient: Patient, view: View, size: int, rough: Tensor | None = None
) -> LineIntegrals:
    """`rough` (size, size) in mm displaces the fracture plane per ray; None keeps it flat."""
    scene = _Scene(patient, view, size, rays(patient, view, size))
    soft = scene.soft()
    bone, cancellous = scene.femur(rough)
    hip, hip_cancellous = scene.pelvis()
    total = soft + bone + hip + scene.metal()
    return LineIntegrals(total.clamp(min=0), cancellous + hip_cancellous, soft)


@dataclass(frozen=True, slots=True)
class _Scene:
    patient: Patient
    view: View
    size: int
    beams: Beam

    def soft(self) -> Tensor:
        skin = union_length(intervals(anatomy.soft_tissue(self.patient), self.beams))
        muscle = union_length(
            intervals(anatomy.soft_tissue(self.patient, self.patient.fat), self.beams)
        )
        total = FAT * skin + (MUSCLE - FAT) * muscle
        fold = anatomy.belly_fold(self.patient)
        if fold:
            total = total + FAT * union_length(intervals(fold, self.beams))
        return total.view(self.size, self.size)

    def femur(self, rough: Tensor | None) -> tuple[Tensor, Tensor]:
        """Bone minus the muscle it displaces, and the cancellous length, over all fragments."""
        bone, total, inside = anatomy.femur(self.patient), self._zero(), self._zero()
        cortical, cancellous = self._materials()
        band = anatomy.compressive_trabeculae(self.patient)
        for part in fragments(self.patient):
            outer = self._length(bone.outer, part, rough)
            inner = self._length(bone.inner, part, rough)
            marrow = self._length(bone.marrow, part, rough)
            dense = self._length([band], part, rough)
            total += (cortical - MUSCLE) * outer + (cancellous - cortical) * inner
            total += (MARROW - cancellous) * marrow + 0.16 * CANCELLOUS * dense
            inside += inner - marrow
        return total, inside

    def _length(self, solids: Sequence[Quadric], part: Fragment, rough: Tensor | None) -> Tensor:
        moved = [solid.moved(part.motion) for solid in solids]
        window = self._window(moved)
        some = self.beams.inside(window, self.size)
        bend = None if rough is None else rough[window].reshape(-1) * part.facing
        spans = cut(intervals(moved, some), some, part.side.moved(part.motion), bend)
        return self._placed(union_length(spans), window)

    def pelvis(self) -> tuple[Tensor, Tensor]:
        bone = anatomy.pelvis(self.patient)
        cortical, cancellous = self._materials()
        outer = self._walled(bone.outer, 0.0)
        inner = self._walled(bone.inner, 1.6)
        return (cortical - MUSCLE) * outer + (cancellous - cortical) * inner, inner

    def _walled(self, solids: Sequence[Quadric], shell: float) -> Tensor:
        """Union of the pelvis without the socket's cavity and its open side."""
        cavity, side = anatomy.socket(self.patient, shell)
        window = self._window(solids)
        some = self.beams.inside(window, self.size)
        enter, leave = intervals(solids, some)
        first = cut((enter[:1], leave[:1]), some, side)
        spans = torch.cat([first[0], enter[1:]]), torch.cat([first[1], leave[1:]])
        hollow = within(spans, intervals([cavity], some))
        length = union_length(spans) - union_length(hollow)
        return self._placed(length, window)

    def metal(self) -> Tensor:
        solids = anatomy.metal(self.patient)
        if not solids:
            return self._zero()
        window = self._window(solids)
        length = union_length(intervals(solids, self.beams.inside(window, self.size)))
        return self._placed(METAL * length, window)

    def _materials(self) -> tuple[float, float]:
        density = self.patient.density
        return CORTICAL * (0.75 + 0.25 * density), MUSCLE + (CANCELLOUS - MUSCLE) * density

    def _zero(self) -> Tensor:
        return torch.zeros(self.size, self.size)

    def _placed(self, values: Tensor, window: Window) -> Tensor:
        """A map of zeros with `values` in the window."""
        out = self._zero()
        out[window] = values.view_as(out[window])
        return out

    def _window(self, solids: Sequence[Quadric]) -> Window:
        """The rectangle that the solids' bounding spheres project into."""
        if not solids:
            return slice(0, 0), slice(0, 0)
        middle, reach = zip(*[_bounds(solid) for solid in solids], strict=True)
        px = project(torch.stack(middle), self.patient, self.view, self.size)
        room = torch.tensor(reach)[:, None] * self.size / self.view.field + 1
        low = (px - room).amin(0).floor().clamp(0, self.size).int().tolist()
        high = (px + room).amax(0).ceil().clamp(0, self.size).int().tolist()
        return slice(low[1], max(low[1], high[1])), slice(low[0], max(low[0], high[0]))


def _bounds(solid: Quadric) -> tuple[Tensor, float]:
    """Centre and radius (mm) of a sphere around a solid."""
    size = torch.linalg.inv(solid.frame)  # own -> patient, mm
    middle = (solid.low + solid.high) / 2
    centre = solid.centre + size[:, 2] * middle
    wide = max(abs(solid.r0 + solid.r1 * z) for z in (solid.low, solid.high)) or solid.r0
    wide = max(wide, abs(solid.r0 + solid.r1 * middle))
    own = torch.tensor([wide, wide, (solid.high - solid.low) / 2])
    return centre, float((size.norm(dim=0) * own).norm())

"""∫μ ds of a phantom patient along every ray: anatomy times attenuation, summed exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.phantom.anatomy import cancellous_groups, femur
from trainers.phantom.fracture import Fragment, fragments
from trainers.phantom.implants import cup, metal
from trainers.phantom.patient import Patient
from trainers.phantom.pelvis import pelvis, socket, worn
from trainers.phantom.projection import (
    Beam,
    Quadric,
    Window,
    cut,
    intervals,
    union_length,
    within,
)
from trainers.phantom.soft import belly_fold, plaster, soft_tissue
from trainers.phantom.view import View, project, rays

# 1/mm near 60 keV, rounded from NIST XCOM for ICRU tissues; metal lowered for beam hardening.
MUSCLE, FAT, CORTICAL, CANCELLOUS, MARROW, METAL = 0.0205, 0.0182, 0.060, 0.0285, 0.0190, 0.16
PLASTER = 0.030


@dataclass(frozen=True, slots=True)
class LineIntegrals:
    """(size, size) maps of ∫μ ds: everything, soft tissue and plaster; cancellous bone in mm."""

    total: Tensor
    cancellous: Tensor
    soft: Tensor
    plaster: Tensor


def line_integrals(
    patient: Patient, view: View, size: int, rough: Tensor | None = None, device: str = "cpu"
) -> LineIntegrals:
    """`rough` (size, size) in mm displaces the fracture plane per ray; None keeps it flat."""
    scene = _Scene(patient, view, size, rays(patient, view, size, device))
    soft, cast = scene.soft()
    bone, cancellous = scene.femur(rough)
    hip, hip_cancellous = scene.pelvis()
    total = soft + cast + bone + hip + scene.metal()
    return LineIntegrals(total.clamp(min=0), cancellous + hip_cancellous, soft, cast)


@dataclass(frozen=True, slots=True)
class _Scene:
    patient: Patient
    view: View
    size: int
    beams: Beam

    def soft(self) -> tuple[Tensor, Tensor]:
        """Fat, muscle and a fold of fat; and a cast."""
        skin = self._union(soft_tissue(self.patient))
        muscle = self._union(soft_tissue(self.patient, self.patient.fat))
        total = FAT * skin + (MUSCLE - FAT) * muscle
        total = total + FAT * self._union(belly_fold(self.patient))
        shell = plaster(self.patient)
        if not shell:
            return total, self._zero()
        cast = self._union(shell) - self._union(soft_tissue(self.patient)[1:3])
        return total, PLASTER * cast.clamp(min=0)

    def femur(self, rough: Tensor | None) -> tuple[Tensor, Tensor]:
        """Bone minus the muscle it displaces, and the cancellous length, over all fragments."""
        bone, total, inside = femur(self.patient), self._zero(), self._zero()
        cortical, cancellous = self._materials()
        groups = cancellous_groups(self.patient)
        for part in fragments(self.patient):
            outer = self._length(bone.outer, part, rough)
            inner = self._length(bone.inner, part, rough)
            marrow = self._length(bone.marrow, part, rough)
            total += (cortical - MUSCLE) * outer + (cancellous - cortical) * inner
            total += (MARROW - cancellous) * marrow
            for solid, denser in groups:
                total += denser * CANCELLOUS * self._length([solid], part, rough)
            inside += inner - marrow
        return total, inside

    def pelvis(self) -> tuple[Tensor, Tensor]:
        bone = pelvis(self.patient)
        cortical, cancellous = self._materials()
        outer = self._walled(bone.outer, 0.0)
        inner = self._walled(bone.inner, 1.6)
        total = (cortical - MUSCLE) * outer + (cancellous - cortical) * inner
        for solid, denser in worn(self.patient):
            total = total + denser * CANCELLOUS * self._union([solid])
        return total, inner

    def metal(self) -> Tensor:
        """The whole implant moves with the shaft's fragment; a cup stays in the pelvis."""
        motion = fragments(self.patient)[-1].motion
        total = self._union([solid.moved(motion) for solid in metal(self.patient)])
        shell = cup(self.patient)
        if shell is not None:
            outside, inside, side = shell
            bowl = Fragment((side,), fragments(self.patient)[0].motion, 1.0)
            total = total + self._length([outside], bowl, None)
            total = total - self._length([inside], bowl, None)
        return METAL * total

    def _union(self, solids: Sequence[Quadric]) -> Tensor:
        window = self._window(solids)
        some = self.beams.inside(window, self.size)
        if not solids or not some.stretch.numel():
            return self._zero()
        return self._placed(union_length(intervals(solids, some), some), window)

    def _length(self, solids: Sequence[Quadric], part: Fragment, rough: Tensor | None) -> Tensor:
        moved = [solid.moved(part.motion) for solid in solids]
        window = self._window(moved)
        some = self.beams.inside(window, self.size)
        if not some.stretch.numel():
            return self._zero()
        spans = intervals(moved, some)
        bend = None if rough is None else rough[window].reshape(-1) * part.facing
        for side in part.sides:
            spans = cut(spans, some, side.moved(part.motion), bend)
            bend = None
        return self._placed(union_length(spans, some), window)

    def _walled(self, solids: Sequence[Quadric], shell: float) -> Tensor:
        """Union of the pelvis without the socket's cavity and its open side."""
        cavity, side = socket(self.patient, shell)
        window = self._window(solids)
        some = self.beams.inside(window, self.size)
        if not some.stretch.numel():
            return self._zero()
        enter, leave = intervals(solids, some)
        first = cut((enter[:1], leave[:1]), some, side)
        spans = torch.cat([first[0], enter[1:]]), torch.cat([first[1], leave[1:]])
        hollow = within(spans, intervals([cavity], some))
        length = union_length(spans, some) - union_length(hollow, some)
        return self._placed(length, window)

    def _materials(self) -> tuple[float, float]:
        density = self.patient.density
        return CORTICAL * (0.75 + 0.25 * density), MUSCLE + (CANCELLOUS - MUSCLE) * density

    def _zero(self) -> Tensor:
        return torch.zeros(self.size, self.size, device=self.beams.stretch.device)

    def _placed(self, values: Tensor, window: Window) -> Tensor:
        """A map of zeros with `values` in the window."""
        out = self._zero()
        out[window] = values.view_as(out[window])
        return out

    def _window(self, solids: Sequence[Quadric]) -> Window:
        """The rectangle that the corners of the solids' boxes project into."""
        if not solids:
            return slice(0, 0), slice(0, 0)
        corners = torch.cat([solid.corners() for solid in solids])
        px = project(corners, self.patient, self.view, self.size)
        low = (px.amin(0) - 1).floor().clamp(0, self.size).int().tolist()
        high = (px.amax(0) + 1).ceil().clamp(0, self.size).int().tolist()
        return slice(low[1], max(low[1], high[1])), slice(low[0], max(low[0], high[0]))

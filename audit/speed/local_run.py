"""Running a plan for one image: patches through the first layers, whole maps through the rest.

Maps and patches are matrices, a row per place and a column per channel (channels last). The
table of a node holds, row by row, its map for the clean image, a row of zeros and one of −inf
for padding, and the patches of the candidates; a window is gathered from it by row numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audit.speed.local_boxes import POINT, Places, lookup
from audit.speed.local_graph import Op
from audit.speed.local_plan import Box, Plan, head_and_tail

POINTS = (POINT, POINT)
PADDING = 2  # rows of a table between the clean map and the patches: zeros, then −inf


@dataclass(frozen=True)
class Lookup:
    """Row numbers of a window, for rows and columns of the image: (places, span) each.

    Their sum counts from the start of a patch (`kept`) or of the map (`clean`).
    """

    kept: tuple[Tensor, Tensor]
    clean: tuple[Tensor, Tensor]
    area: int
    places: int


class Compiled:
    """A plan on a device: what it needs for every image of its size."""

    def __init__(self, plan: Plan, device: torch.device) -> None:
        self.plan, self.device = plan, device
        self.lookups = {
            (source, name): self._lookup(source, name)
            for name, op in plan.local.items()
            for source in op.sources
            if _gathers(op, plan.boxes[source], plan.boxes[name])
        }
        sources = {source for source, _ in self.lookups}
        self.tables = [name for name in plan.local if name in sources or name in plan.live]
        self.head, self.tail = head_and_tail(plan, self.tables)
        self.pastes = {name: self._paste(plan.boxes[name]) for name in plan.live}
        self.weights = {name: _weights(op) for name, op in plan.local.items()}

    def _lookup(self, source: str, name: str) -> Lookup:
        windows = self.plan.local[name].windows or POINTS
        box, target = self.plan.boxes[source], self.plan.boxes[name]
        rows = lookup(box[0], target[0], windows[0])
        cols = lookup(box[1], target[1], windows[1])
        kept = self._tensors(rows[0] * box[1].width, cols[0])
        clean = self._tensors(rows[1] * box[1].size, cols[1])
        return Lookup(kept, clean, box[0].width * box[1].width, box[0].size * box[1].size)

    def _paste(self, box: Box) -> tuple[Tensor, Tensor]:
        """Places of a patch in its map: rows of the image, and columns."""
        rows = (box[0].start[:, None] + np.arange(box[0].width)) * box[1].size
        return self._tensors(rows, box[1].start[:, None] + np.arange(box[1].width))

    def _tensors(self, *arrays: Places) -> tuple[Tensor, Tensor]:
        first, second = (torch.from_numpy(array).to(self.device) for array in arrays)
        return first, second


def _gathers(op: Op, source: Box, target: Box) -> bool:
    """Whether the patch of the source has to be put into its surroundings first."""
    if op.windows is not None:
        return op.windows != POINTS
    return any(
        a.width != b.width or not np.array_equal(a.start, b.start)
        for a, b in zip(source, target, strict=True)
    )


def _weights(op: Op) -> tuple[Tensor, Tensor | None] | None:
    """Of a convolution that reads one place: a matrix; of a norm: scale and shift."""
    if isinstance(op.module, nn.BatchNorm2d):
        norm = op.module
        mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
        scale = torch.rsqrt(variance + norm.eps)
        if norm.affine:
            scale = scale * norm.weight.detach()
        shift = -mean * scale
        return scale, shift + norm.bias.detach() if norm.affine else shift
    if isinstance(op.module, nn.Conv2d):
        conv = op.module
        if conv.groups == 1 and conv.kernel_size == (1, 1):
            return conv.weight.detach().flatten(1), conv.bias
    return None


class LocalImage:
    """One image under a plan: its clean maps, and buffers for the candidates."""

    def __init__(self, compiled: Compiled, normal: Tensor) -> None:
        """`normal` (1, C, H, W): the clean image as the network takes it."""
        self.compiled, self.plan = compiled, compiled.plan
        self.candidates = 0
        maps = compiled.head(normal.to(memory_format=torch.channels_last))
        self.clean = {
            name: value[0].permute(1, 2, 0).reshape(-1, value.shape[1])
            for name, value in zip(compiled.tables, maps, strict=True)
        }
        self.tables: dict[str, Tensor] = {}
        self.buffers: dict[str, Tensor] = {}

    def _make_room(self, candidates: int) -> None:
        if candidates <= self.candidates:
            return
        for name, clean in list(self.clean.items()):
            rows, cols = self.plan.boxes[name]
            area = rows.width * cols.width
            places, channels = clean.shape
            table = clean.new_empty(places + PADDING + candidates * area, channels)
            table[:places] = clean
            table[places], table[places + 1] = 0.0, -torch.inf
            self.tables[name] = table
            self.clean[name] = table[:places]
            if name in self.plan.live:
                self.buffers[name] = clean.repeat(candidates, 1)
        self.candidates = candidates  # only now: memory may not have sufficed

    def logits(self, rows: Tensor, cols: Tensor, values: Tensor) -> Tensor:
        """`rows`, `cols` (M,); `values` (M, C) as the network takes them -> (M, K)."""
        self._make_room(len(rows))
        patches: dict[str, Tensor] = {}
        for name, op in self.plan.local.items():
            patch = values if op.kind == "input" else self._step(name, op, patches, rows, cols)
            if name in self.tables:
                table = self.tables[name]
                first = len(self.clean[name]) + PADDING
                kept = table[first : first + len(patch)]
                patch = kept.copy_(patch)
            patches[name] = patch
        return self._tail(patches, rows, cols)

    def _step(
        self, name: str, op: Op, patches: dict[str, Tensor], rows: Tensor, cols: Tensor
    ) -> Tensor:
        sources = [self._read(source, name, op, patches, rows, cols) for source in op.sources]
        weights = self.compiled.weights[name]
        if op.kind == "cat":
            return torch.cat(sources, 1)
        if op.kind == "add":
            return sources[0] + sources[1]
        module = cast(nn.Module, op.module)
        if op.kind == "each":
            out: Tensor = module(sources[0])
            return out
        if op.kind == "norm" and weights is not None and weights[1] is not None:
            return torch.addcmul(weights[1], sources[0], weights[0])
        if weights is not None:
            return F.linear(sources[0], *weights)
        windows = op.windows or POINTS
        look = self.compiled.lookups[op.sources[0], name]
        height, width = (part.shape[1] for part in look.kept)
        maps = sources[0].view(len(rows), height, width, -1).permute(0, 3, 1, 2)
        # a kernel of one was gathered at its strides already
        stride = [1 if window.kernel == 1 else window.stride for window in windows]
        found = _unpadded(module, maps, stride)
        return found.permute(0, 2, 3, 1).reshape(-1, found.shape[1])

    def _read(
        self,
        source: str,
        name: str,
        op: Op,
        patches: dict[str, Tensor],
        rows: Tensor,
        cols: Tensor,
    ) -> Tensor:
        """The patch of `source`, in as much of its surroundings as `name` reads."""
        look = self.compiled.lookups.get((source, name))
        if look is None:
            return patches[source]
        padding = look.places + (op.kind == "max")
        index = _numbers(look, rows, cols, padding)
        return self.tables[source].index_select(0, index.flatten())

    def _tail(self, patches: dict[str, Tensor], rows: Tensor, cols: Tensor) -> Tensor:
        maps, places = [], {}
        for name in self.plan.live:
            clean, buffer = self.clean[name], self.buffers[name]
            down, right = self.compiled.pastes[name]
            place = down[rows][:, :, None] + right[cols][:, None, :]
            members = torch.arange(len(rows), device=place.device)[:, None, None]
            places[name] = (place.flatten(), (place + members * len(clean)).flatten())
            buffer.index_copy_(0, places[name][1], patches[name])
            height, width = (axis.size for axis in self.plan.boxes[name])
            part = buffer[: len(rows) * len(clean)]
            maps.append(part.view(len(rows), height, width, -1).permute(0, 3, 1, 2))
        logits: Tensor = self.compiled.tail(*maps)
        for name, (place, row) in places.items():
            self.buffers[name].index_copy_(0, row, self.clean[name].index_select(0, place))
        return logits


def _unpadded(module: nn.Module, maps: Tensor, stride: list[int]) -> Tensor:
    if isinstance(module, nn.Conv2d):
        return F.conv2d(maps, module.weight, module.bias, stride, 0, module.dilation, module.groups)
    if isinstance(module, nn.MaxPool2d):
        return F.max_pool2d(maps, module.kernel_size, stride, 0, module.dilation)
    return F.avg_pool2d(maps, cast(nn.AvgPool2d, module).kernel_size, stride)


def _numbers(look: Lookup, rows: Tensor, cols: Tensor, padding: int) -> Tensor:
    """Rows of a table, (M, height, width): of the patch, else of the clean map, else padding."""
    first = torch.arange(len(rows), device=rows.device) * look.area + look.places + PADDING
    kept = look.kept[0][rows][:, :, None] + look.kept[1][cols][:, None, :]
    clean = look.clean[0][rows][:, :, None] + look.clean[1][cols][:, None, :]
    outside = torch.where(clean >= 0, clean, padding)
    return torch.where(kept >= 0, kept + first[:, None, None], outside)

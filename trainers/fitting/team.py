"""Several processes that train one network (PyTorch DDP, as torchrun starts them).

Each takes its part of every batch; gradients are averaged, so a step is that of one process with
the whole batch. Without torchrun a team is one process and everything here does nothing.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from audit.errors import HipauditError

Plain = TypeVar("Plain")


def speaks() -> bool:
    """Whether this process is the one that writes files and talks: all but the first do not."""
    return int(os.environ.get("RANK", "0")) == 0


@dataclass(frozen=True, slots=True)
class Team:
    """`rank` of `size` processes, and the device of this one."""

    rank: int
    size: int
    device: torch.device

    @property
    def batchnorm(self) -> str:
        """Over what a BatchNorm takes its mean: recorded, since it can move a result."""
        if self.size == 1:
            return "batch"
        return "batch" if self._synchronises else f"a process's part (1/{self.size}) of a batch"

    def part(self, count: int) -> slice:
        """This process's rows of a batch of `count`."""
        each = count // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def check(self, batch_size: int) -> None:
        """Raises HipauditError when a batch cannot be parted evenly, or leaves one image each."""
        if batch_size % self.size or (self.size > 1 and batch_size // self.size < 2):
            fit = self.size * max(2, -(-batch_size // self.size))
            raise HipauditError(
                f"a batch_size that {self.size} processes can share, two images each at least",
                f"{batch_size}",
                f"Use --set batch_size={fit}.",
            )

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module to train through, made anew whenever other parameters learn.

        BatchNorm takes its statistics over the whole batch on GPUs (SyncBatchNorm), over each
        process's part on CPUs, where torch has no such layer; see `settle` for what is running.
        """
        if self.size == 1:
            return module
        if self._synchronises:
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        own = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=own, broadcast_buffers=False)

    def settle(self, module: nn.Module) -> None:
        """Average the running statistics of the processes, before the network is used."""
        if self.size > 1:
            for value in module.buffers():
                if value.is_floating_point():
                    value.copy_(self.mean(value))

    def unwrap(self, module: nn.Module) -> None:
        """BatchNorm layers as they were before `wrap`, in place."""
        for name, part in module.named_children():
            if isinstance(part, nn.SyncBatchNorm):
                setattr(module, name, _plain_norm(part))
            else:
                self.unwrap(part)

    def mean(self, values: Tensor) -> Tensor:
        """Averaged over the processes, equal on all."""
        if self.size == 1:
            return values
        summed = values.clone()
        dist.all_reduce(summed)
        return summed / self.size

    def agreed(self, value: Plain) -> Plain:
        """What the first process has, for all."""
        if self.size == 1:
            return value
        box: list[Any] = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        found: Plain = box[0]
        return found

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows (n, K) of every process one after the other, on the CPU, equal on all."""
        if self.size == 1:
            return rows.cpu()
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, rows.cpu())
        return torch.cat(parts)

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            dist.barrier()

    @property
    def _synchronises(self) -> bool:
        return self.device.type == "cuda"


def join_team(device: str) -> Team:
    """The team torchrun has put this process in, on the CPU (gloo) or a GPU each (nccl).

    Raises HipauditError when there are fewer GPUs than processes.
    """
    place = torch.device(device)
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team(0, 1, place)
    if place.type == "cuda":
        local, cards = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local >= cards:
            raise HipauditError(
                "a GPU for each process",
                f"{cards} for {local + 1} processes",
                f"Use: torchrun --nproc-per-node {cards}",
            )
        place = torch.device("cuda", local)
        torch.cuda.set_device(place)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)
    return Team(dist.get_rank(), dist.get_world_size(), place)


def _plain_norm(part: nn.SyncBatchNorm) -> nn.BatchNorm2d:
    plain = nn.BatchNorm2d(part.num_features, part.eps, part.momentum, part.affine)
    plain.weight, plain.bias = part.weight, part.bias
    plain.running_mean, plain.running_var = part.running_mean, part.running_var
    plain.num_batches_tracked = part.num_batches_tracked
    return plain.train(part.training)

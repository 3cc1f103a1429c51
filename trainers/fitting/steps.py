"""One step of training: a batch, augmented, sent through the network, and the weights moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from audit.errors import HipauditError
from audit.results import Preparation
from trainers.adversarial.examples import mixed_batch
from trainers.fitting.chance import draws, seeded
from trainers.fitting.groups import Group, layer_groups
from trainers.fitting.material import Material
from trainers.fitting.precision import Precision
from trainers.pixels.batches import Ready
from trainers.recipe import Recipe

Schedule = Callable[[int], tuple[float, float]]  # step -> share of the peak rate, momentum
CHECK_EVERY = 16  # reading a loss makes a GPU wait


class Steps:
    """What every step of one training needs; holds no state of its own but the network's."""

    def __init__(
        self,
        module: nn.Module,
        material: Material,
        recipe: Recipe,
        way: Preparation,
    ) -> None:
        """`module` lies on the device of the material's team already."""
        self.module, self.material, self.recipe, self.way = module, material, recipe, way
        self.team, self.device = material.team, material.team.device
        self.team.check(recipe.batch_size)
        self.groups: list[Group] = layer_groups(module, recipe.architecture)
        self.per_epoch = len(material.y) // recipe.batch_size
        self.weight: Tensor | None = None
        if recipe.class_weights == "balanced":
            self.weight = _class_weights(material).to(self.device)
        self.learner = module  # what a step goes through; see `begin`
        self.use(Precision())

    def use(self, precision: Precision) -> None:
        """Train in these numbers from here on."""
        self.precision = precision
        self.scaler = precision.scaler(self.device)

    def begin(self) -> None:
        """Before the steps of a phase, once it is settled what learns."""
        self.module.to(memory_format=self.precision.order)
        self.learner = self.team.wrap(self.module)

    def end(self) -> None:
        """The module as it was given: its layers, their order in memory."""
        self.team.unwrap(self.module)
        self.module.to(memory_format=torch.contiguous_format)
        self.learner = self.module

    def optimiser(self, peaks: Sequence[float], weight_decay: float) -> torch.optim.AdamW:
        """AdamW over what learns, a parameter group for each group of layers that does."""
        parts = [
            {"params": learning, "lr": peak, "peak": peak}
            for group, peak in zip(self.groups, peaks, strict=True)
            if (learning := [p for p in group.values() if p.requires_grad])
        ]
        return torch.optim.AdamW(
            parts,
            betas=self.recipe.betas,
            weight_decay=weight_decay,
            fused=self.device.type == "cuda" or None,  # one kernel for all parameters
        )

    def batches(self, *purpose: str) -> list[Tensor]:
        """Row numbers of each batch in a fresh order; the last incomplete batch is dropped."""
        order = torch.randperm(
            len(self.material.y), generator=draws(self.recipe.seed, "order", *purpose)
        )
        return list(torch.split(order, self.recipe.batch_size)[: self.per_epoch])

    def epoch(
        self,
        optimiser: torch.optim.AdamW,
        schedule: Schedule,
        number: int,
        first: int,
        tell: Callable[[int], None],
    ) -> tuple[float, float]:
        """Epoch `number` (from 1), whose first step is `first` of its phase. (mean loss, last lr).

        Raises HipauditError when the loss is not finite.
        """
        self.module.train()
        images = draws(self.recipe.seed, "augmentation", str(number))
        draw = draws(self.recipe.seed, "adversarial", str(number))
        losses, pending, rates = list[float](), list[Tensor](), list[float]()
        order = self.batches(str(number))
        part = self.team.part(self.recipe.batch_size)
        read = self.material.train.ahead(order, images, part)
        with seeded(self.device, self.recipe.seed, "network", str(number), *self._own):
            for step, (rows, ready) in enumerate(zip(order, read, strict=True)):
                share, momentum = schedule(first + step)
                set_rates(optimiser, share, momentum)
                rates.append(float(optimiser.param_groups[-1]["lr"]))
                done = ((number - 1) * self.per_epoch + step) / self._steps_in_all
                pending.append(self.step(optimiser, rows, draw, done, ready))
                if len(pending) == CHECK_EVERY or step + 1 == self.per_epoch:
                    losses += self._finite(pending, rates, number)
                    pending.clear()
                tell(step + 1)
        self.team.settle(self.module)
        return math.fsum(losses) / len(losses), rates[-1]

    def step(
        self,
        optimiser: torch.optim.AdamW,
        rows: Tensor,
        draw: Generator,
        done: float,
        ready: Ready | None = None,
    ) -> Tensor:
        """One batch; its loss, detached: of this process's part of it, where there are several.

        `done`: share of the whole training. `ready`: the batch, where it was read ahead.
        """
        x, y = self.batch(rows, draw, ready)
        if self.recipe.adversarial is not None:
            x = mixed_batch(
                self.module, self.forward, x, y, self.recipe.adversarial,
                draw=draw, progress_of_training=done,
            )  # fmt: skip
        loss = F.cross_entropy(self._through(self.learner, x), y, weight=self.weight)
        optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        self.scaler.step(optimiser)
        self.scaler.update()
        return loss.detach()

    def batch(
        self, rows: Tensor, draw: Generator, ready: Ready | None = None
    ) -> tuple[Tensor, Tensor]:
        """Augmented pixels (N, C, H, W) in [0, 1] and class indices (N,), on the device."""
        images = self.material.train
        ready = ready or images.ready(rows, draw, self.team.part(len(rows)))
        return images.see(ready), self.material.y[ready.rows].to(self.device)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels (N, 1 or 3, H, W) in [0, 1] -> logits (N, K), as a training step computes them."""
        return self._through(self.module, x)

    def answers(self, x: Tensor) -> Tensor:
        """The same in float32, as Classifier computes them: what validation and audit see."""
        logits: Tensor = self.module(normalised(x, self.way))
        return logits

    def _through(self, network: nn.Module, x: Tensor) -> Tensor:
        seen = normalised(x, self.way).contiguous(memory_format=self.precision.order)
        with self.precision.autocast(self.device):
            logits: Tensor = network(seen)
        return logits.float()

    def _finite(self, pending: list[Tensor], rates: list[float], number: int) -> list[float]:
        """The losses of the last steps, over all processes; every process sees the same."""
        found: list[float] = self.team.mean(torch.stack(pending)).tolist()
        first = len(rates) - len(found)
        for index, value in enumerate(found):
            if not math.isfinite(value):
                raise HipauditError(
                    "a finite training loss",
                    f"{value} in epoch {number}, step {first + index + 1}, at learning rate "
                    f"{rates[first + index]:.3g}",
                    "Use a smaller lr.",
                )
        return found

    @property
    def _own(self) -> tuple[str, ...]:
        """Dropout differs between processes as it does between the images of a batch."""
        return (f"process {self.team.rank}",) if self.team.rank else ()

    @property
    def _steps_in_all(self) -> int:
        return self.per_epoch * self.recipe.epochs


def set_rates(optimiser: torch.optim.AdamW, share: float, momentum: float) -> None:
    """Every group's rate to `share` of its peak, and beta1."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * share
        group["betas"] = (momentum, group["betas"][1])


def normalised(x: Tensor, way: Preparation) -> Tensor:
    """x (N, 1 or 3, H, W) in [0, 1] -> what the network sees, as Classifier does it."""
    mean, std = _moments(way.mean, way.std, x.device)
    wide = x.mean(1, keepdim=True) if x.shape[1] > way.channels else x
    return (wide.expand(-1, way.channels, -1, -1) * way.value_range - mean) / std


@cache
def _moments(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Kept on the device: copying them there at every step would make a GPU wait."""
    return (
        torch.tensor(mean, device=device).view(1, -1, 1, 1),
        torch.tensor(std, device=device).view(1, -1, 1, 1),
    )


def _class_weights(material: Material) -> Tensor:
    counts = torch.bincount(material.y, minlength=len(material.classes)).clamp(min=1)
    return len(material.y) / (len(material.classes) * counts.float())

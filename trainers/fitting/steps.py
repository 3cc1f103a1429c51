"""One step of training: a batch, augmented, sent through the network, and the weights moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from audit.errors import HipauditError
from audit.results import Preparation
from trainers.adversarial.examples import mixed_batch
from trainers.fitting.chance import draws, seeded
from trainers.fitting.groups import Group, layer_groups
from trainers.pixels.augment import augment, nudge
from trainers.recipe import Recipe

Schedule = Callable[[int], tuple[float, float]]  # step -> share of the peak rate, momentum
CHECK_EVERY = 16  # reading a loss makes a GPU wait


@dataclass(frozen=True, slots=True)
class Material:
    """Decoded images (N, C, H, W) float16 and class indices (N,) of the two splits."""

    x: Tensor
    y: Tensor
    val_x: Tensor
    val_y: Tensor
    classes: int
    positive: int


class Steps:
    """What every step of one training needs; holds no state of its own but the network's."""

    def __init__(
        self,
        module: nn.Module,
        material: Material,
        recipe: Recipe,
        way: Preparation,
        device: torch.device,
    ) -> None:
        self.module, self.material, self.recipe, self.way = module, material, recipe, way
        self.device = device
        self.groups: list[Group] = layer_groups(module, recipe.architecture)
        self.per_epoch = len(material.y) // recipe.batch_size
        self.weight: Tensor | None = None
        if recipe.class_weights == "balanced":
            self.weight = _class_weights(material).to(device)

    def optimiser(self, peaks: Sequence[float], weight_decay: float) -> torch.optim.AdamW:
        """AdamW over what learns, a parameter group for each group of layers that does."""
        parts = [
            {"params": learning, "lr": peak, "peak": peak}
            for group, peak in zip(self.groups, peaks, strict=True)
            if (learning := [p for p in group.values() if p.requires_grad])
        ]
        return torch.optim.AdamW(parts, betas=self.recipe.betas, weight_decay=weight_decay)

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
        draw = draws(self.recipe.seed, "augmentation", str(number))
        losses, rates = list[Tensor](), list[float]()
        with seeded(self.device, self.recipe.seed, "network", str(number)):
            for step, rows in enumerate(self.batches(str(number))):
                share, momentum = schedule(first + step)
                set_rates(optimiser, share, momentum)
                rates.append(float(optimiser.param_groups[-1]["lr"]))
                part = ((number - 1) * self.per_epoch + step) / self._steps_in_all
                losses.append(self.step(optimiser, rows, draw, part))
                if (step + 1) % CHECK_EVERY == 0 or step + 1 == self.per_epoch:
                    _check_finite(losses, rates, number)
                tell(step + 1)
        return float(torch.stack(losses).cpu().double().mean()), rates[-1]

    def step(
        self, optimiser: torch.optim.AdamW, rows: Tensor, draw: Generator, part: float
    ) -> Tensor:
        """One batch; its loss, detached. `part`: share of the whole training that is done."""
        x, y = self.batch(rows, draw)
        if self.recipe.adversarial is not None:
            x = mixed_batch(
                self.module, self.forward, x, y, self.recipe.adversarial,
                draw=draw, progress_of_training=part,
            )  # fmt: skip
        loss = F.cross_entropy(self.forward(x), y, weight=self.weight)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        optimiser.step()
        return loss.detach()

    def batch(self, rows: Tensor, draw: Generator) -> tuple[Tensor, Tensor]:
        """Augmented pixels (N, C, H, W) in [0, 1] and class indices (N,), on the device."""
        x = self.material.x[rows].float()
        if self.recipe.augmentation == "study":
            x = augment(x, draw, flip=self.recipe.flip)
        elif self.recipe.augmentation == "gentle":
            x = nudge(x, draw, flip=self.recipe.flip)
        return x.to(self.device), self.material.y[rows].to(self.device)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels (N, 1 or 3, H, W) in [0, 1] -> logits (N, K), as Classifier does it."""
        logits: Tensor = self.module(normalised(x, self.way))
        return logits

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
    mean, std = _constants(way.mean, way.std, x.device)
    wide = x.mean(1, keepdim=True) if x.shape[1] > way.channels else x
    return (wide.expand(-1, way.channels, -1, -1) * way.value_range - mean) / std


@lru_cache  # a copy to a GPU at each step would make it wait
def _constants(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[Tensor, Tensor]:
    shape = (1, -1, 1, 1)
    return (
        torch.tensor(mean, device=device).view(shape),
        torch.tensor(std, device=device).view(shape),
    )


def _check_finite(losses: list[Tensor], rates: list[float], number: int) -> None:
    found = torch.stack(losses[-CHECK_EVERY:]).cpu()
    bad = (~torch.isfinite(found)).nonzero()
    if len(bad):
        first = int(bad[0]) + len(losses) - len(found)
        value = float(losses[first])
        raise HipauditError(
            "a finite training loss",
            f"{value} in epoch {number}, step {first + 1}, at learning rate {rates[first]:.3g}",
            "Use a smaller lr.",
        )


def _class_weights(material: Material) -> Tensor:
    counts = torch.bincount(material.y, minlength=material.classes).clamp(min=1)
    return len(material.y) / (material.classes * counts.float())

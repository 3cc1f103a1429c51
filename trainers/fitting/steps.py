"""One phase of training: the optimiser, its schedule, and a pass over shuffled batches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from audit.errors import HipauditError
from audit.results import Preparation
from trainers.fitting.network import freeze_body, parameter_groups
from trainers.pixels.augment import augment, nudge
from trainers.recipe import Recipe


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
    """The optimiser, its one-cycle schedule and the order of the images for one phase."""

    def __init__(
        self,
        module: nn.Module,
        material: Material,
        recipe: Recipe,
        way: Preparation,
        phase: str,
        epochs: int,
        draw: Generator,
    ) -> None:
        self.module, self.material, self.recipe, self.way = module, material, recipe, way
        self.draw = draw
        freeze_body(module, frozen=phase == "frozen")
        body, head = parameter_groups(module)
        # A network that starts at random has no features worth protecting.
        slow = recipe.lr / recipe.body_divisor if recipe.freeze_epochs else recipe.lr
        parts = [([p for p in body if p.requires_grad], slow), (head, recipe.lr)]
        parts = [(some, lr) for some, lr in parts if some]
        self.optimiser = torch.optim.AdamW(
            [{"params": some, "lr": lr} for some, lr in parts],
            betas=recipe.betas,
            weight_decay=recipe.weight_decay,
        )
        self.per_epoch = max(1, len(material.y) // recipe.batch_size)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            max_lr=[lr for _, lr in parts],
            total_steps=self.per_epoch * epochs,
        )
        self.weight = _class_weights(material) if recipe.class_weights == "balanced" else None

    def epoch(self, number: int) -> tuple[float, float]:
        """One pass in a fresh order, last incomplete batch dropped. (mean loss, last lr)."""
        self.module.train()
        order = torch.randperm(len(self.material.y), generator=self.draw)
        total, lr = 0.0, 0.0
        for step in range(self.per_epoch):
            rows = order[step * self.recipe.batch_size : (step + 1) * self.recipe.batch_size]
            lr = float(self.optimiser.param_groups[-1]["lr"])
            loss = self._step(rows)
            if not math.isfinite(loss):
                raise HipauditError(
                    "a finite training loss",
                    f"{loss} in epoch {number}, step {step + 1}, at learning rate {lr:.3g}",
                    "Use a smaller lr.",
                )
            total += loss
        return total / self.per_epoch, lr

    def _step(self, rows: Tensor) -> float:
        x = self.material.x[rows].float()
        if self.recipe.augmentation == "study":
            x = augment(x, self.draw, flip=self.recipe.flip)
        elif self.recipe.augmentation == "gentle":
            x = nudge(x, self.draw, flip=self.recipe.flip)
        logits = self.module(normalised(x, self.way))
        loss = F.cross_entropy(logits, self.material.y[rows], weight=self.weight)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        self.optimiser.step()
        self.schedule.step()
        return float(loss.detach())


def normalised(x: Tensor, way: Preparation) -> Tensor:
    """x (N, 1 or 3, H, W) in [0, 1] -> what the network sees, as Classifier does it."""
    mean = torch.tensor(way.mean).view(1, -1, 1, 1)
    std = torch.tensor(way.std).view(1, -1, 1, 1)
    return (x.expand(-1, way.channels, -1, -1) * way.value_range - mean) / std


def _class_weights(material: Material) -> Tensor:
    counts = torch.bincount(material.y, minlength=material.classes).clamp(min=1)
    return len(material.y) / (material.classes * counts.float())

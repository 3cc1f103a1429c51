"""Fitting the localiser: a network whose two outputs are where the femoral neck is."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from audit.cases.case import Case
from audit.checkpoints.architectures import build
from audit.classifier import at_size, prepare_pixels
from audit.errors import HipauditError
from audit.results import ModelDescription, Preparation
from trainers.cascade.places import Point, in_frame
from trainers.fitting.chance import draws, seeded
from trainers.fitting.network import load_start
from trainers.progress import Progress
from trainers.recipe import Recipe

CLASSES = ("x", "y")


@dataclass(frozen=True, slots=True)
class Sights:
    """Small images (N, 1, h, w) float16 and where the neck is in them (N, 2), as shares."""

    x: Tensor
    y: Tensor


def sights(
    cases: Sequence[Case], points: Sequence[Point], frame: Preparation, way: Preparation
) -> Sights:
    """What a localiser that sees `way` of a `frame` is shown; points in native pixels."""
    images = [small(case, frame, way).half() for case in cases]
    shares = [in_frame(p, case.shape, frame) for p, case in zip(points, cases, strict=True)]
    return Sights(torch.cat(images), torch.tensor(shares, dtype=torch.float32))


def small(case: Case, frame: Preparation, way: Preparation) -> Tensor:
    """(1, 1, h, w): a case as the cascade hands it to a link that sees `way`."""
    x = prepare_pixels(case.load(), frame).mean(0, keepdim=True)[None]
    return at_size(x, way).clamp(0.0, 1.0)


def fit_localiser(
    train: Sights,
    val: Sights,
    recipe: Recipe,
    *,
    weights: Path | Literal["imagenet"] | None,
    device: str,
    progress: Progress,
) -> tuple[nn.Module, ModelDescription]:
    """The network with the smallest mean distance on `val`, and its description.

    Of the recipe: architecture, head, epochs, batch size, seed, lr and weight decay ("auto":
    1e-3 and 1e-2), flip. Smooth L1 loss on the sigmoid of the outputs; one cycle of AdamW.
    Images are turned, scaled, shifted and mirrored together with their points.
    Raises HipauditError for a loss that is not finite.
    """
    way = localiser_way(recipe)
    with seeded(torch.device("cpu"), recipe.seed, "localiser", "start"):
        module = build(recipe.architecture, len(CLASSES), recipe.head)
    if weights is not None:
        load_start(module, weights, recipe.architecture)
    module.to(device)
    distances = _train(module, train, val, recipe, way, device, progress)
    description = ModelDescription(
        name="localiser",
        architecture=recipe.architecture,
        parameters=sum(p.numel() for p in module.parameters()),
        classes=CLASSES,
        positive_class=CLASSES[0],
        preparation=way,
        preparation_origin="training",
        training={
            "recipe": recipe.recorded(),
            "loss": "smooth L1 of the sigmoid",
            "images": {"train": len(train.y), "val": len(val.y)},
            "val_distance": [round(d, 6) for d in distances],
        },
    )
    return module, description


def localiser_way(recipe: Recipe) -> Preparation:
    """It sees the whole frame, whatever its shape."""
    return Preparation(height=recipe.size, width=recipe.size, resize="squish")


def _train(
    module: nn.Module,
    train: Sights,
    val: Sights,
    recipe: Recipe,
    way: Preparation,
    device: str,
    progress: Progress,
) -> list[float]:
    """Mean distance on `val` (shares of the frame) after every epoch; best weights restored."""
    lr = 1e-3 if recipe.lr == "auto" else float(recipe.lr)
    decay = 1e-2 if recipe.weight_decay == "auto" else float(recipe.weight_decay)
    optimiser = torch.optim.AdamW(
        module.parameters(), lr=lr, betas=recipe.betas, weight_decay=decay
    )
    size = min(recipe.batch_size, len(train.y))
    per_epoch = len(train.y) // size
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=lr, total_steps=per_epoch * recipe.epochs
    )
    found: list[float] = []
    best: dict[str, Tensor] = {}
    for epoch in range(recipe.epochs):
        draw = draws(recipe.seed, "localiser", str(epoch))
        order = torch.randperm(len(train.y), generator=draw)
        module.train()
        with seeded(torch.device(device), recipe.seed, "localiser", "dropout", str(epoch)):
            for step in range(per_epoch):
                rows = order[step * size : (step + 1) * size]
                x, y = moved(train.x[rows].float(), train.y[rows], draw, flip=recipe.flip)
                loss = F.smooth_l1_loss(
                    torch.sigmoid(module(_normal(x, way).to(device))), y.to(device), beta=0.05
                )
                if not math.isfinite(float(loss.detach())):
                    raise HipauditError(
                        "a finite loss of the localiser", f"{float(loss.detach())}", "Lower lr."
                    )
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
                optimiser.step()
                cycle.step()
                progress.run("training", epoch * per_epoch + step + 1, per_epoch * recipe.epochs)
        found.append(_distance(module, val, way, size, device))
        progress.note(f"epoch {epoch + 1}/{recipe.epochs}: mean distance {found[-1]:.3f} of frame")
        if not best or found[-1] == min(found):
            best = copy.deepcopy(module.state_dict())
    module.load_state_dict(best)
    module.eval()
    return found


def _distance(module: nn.Module, val: Sights, way: Preparation, size: int, device: str) -> float:
    module.eval()
    with torch.no_grad():
        said = torch.cat(
            [
                torch.sigmoid(module(_normal(part.float(), way).to(device))).cpu()
                for part in torch.split(val.x, size)
            ]
        )
    return float((said - val.y).norm(dim=1).mean())


def _normal(x: Tensor, way: Preparation) -> Tensor:
    mean = torch.tensor(way.mean).view(1, -1, 1, 1)
    std = torch.tensor(way.std).view(1, -1, 1, 1)
    return (x.expand(-1, way.channels, -1, -1) - mean) / std


def moved(x: Tensor, y: Tensor, draw: Generator, *, flip: bool = True) -> tuple[Tensor, Tensor]:
    """Images (N, 1, h, w) and points (N, 2) in shares, moved alike; black from outside.

    Turned by up to 10°, scaled by 0.85 to 1.2, shifted by up to 10% of the frame, half of them
    mirrored where `flip`; brightness to the power of 0.7 to 1.4.
    """
    n = len(x)

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=draw)

    angle, scale = between(-10, 10) * math.pi / 180, between(0.85, 1.2)
    sign = torch.where(torch.rand(n, generator=draw) < 0.5 * flip, -1.0, 1.0)
    turn = torch.stack(
        [
            torch.stack([torch.cos(angle) * sign, -torch.sin(angle)], 1),
            torch.stack([torch.sin(angle) * sign, torch.cos(angle)], 1),
        ],
        dim=1,
    ) / scale[:, None, None]  # fmt: skip
    shift = torch.stack([between(-0.2, 0.2), between(-0.2, 0.2)], 1)  # the frame is 2 wide
    grid = F.affine_grid(
        torch.cat([turn, shift[:, :, None]], dim=2), list(x.shape), align_corners=False
    )
    seen = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    points = torch.linalg.solve(turn, (2 * y - 1 - shift)[:, :, None])[:, :, 0]
    power = torch.exp(between(math.log(0.7), math.log(1.4)))
    return seen.clamp(0, 1) ** power[:, None, None, None], (points + 1) / 2

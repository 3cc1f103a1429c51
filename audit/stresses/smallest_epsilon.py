"""The smallest radius at which an image is fooled, found by sweep and bisection."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from audit.errors import HipauditError, did_you_mean
from audit.results import Scalar
from audit.stresses import apgd, pgd
from audit.stresses.hunt import Hunt
from audit.stresses.looking import ask, clear_margin, device_of, look
from audit.stresses.radii import at_least, positive, radii
from audit.stresses.registry import Altered, Attackable, Batch, stress

WALKS: dict[str, Callable[[Hunt, Tensor, Tensor, int], None]] = {"pgd": pgd.walk, "apgd": apgd.walk}
ATTACKS = ("fgsm", *WALKS)
FINEST = 1e-6  # a pixel near 1 in float32 moves by no less than a sixteenth of this


def _cost(p: Mapping[str, Any]) -> float:
    """A gradient, the sweep, its halvings; then whole attacks at every halving."""
    sweep, most, resolution = int(p["sweep"]), float(p["max_epsilon"]), float(p["resolution"])
    along = 3.0 + sweep + _halvings(most / sweep, resolution)
    if p["attack"] == "fgsm":
        return along
    return along + (1 + _halvings(most, resolution)) * (3.0 * int(p["steps"]) + 1)


def _halvings(width: float, resolution: float) -> int:
    return max(0, math.ceil(math.log2(width / resolution) - 1e-9))


@stress(
    "smallest_epsilon",
    kind="attack",
    norm="linf",
    needs_gradients=True,
    budget=lambda p, _: float(p["max_epsilon"]),
    cost=_cost,
    check=lambda p: _check(p),
)
def smallest_epsilon(
    model: Attackable,
    batch: Batch,
    *,
    attack: str = "fgsm",
    max_epsilon: float = 16 / 255,
    sweep: int = 8,
    resolution: float = 1 / 2040,
    steps: int = 10,
) -> Iterator[Altered]:
    """Per image the smallest ε found to fool it, up to `max_epsilon`, to within `resolution`.

    Along the gradient's sign `sweep` radii are tried in ascending order, because what fools at
    one radius need not at a larger one; the first that fools is narrowed by bisection. `attack`
    "pgd" or "apgd" then attacks anew (`steps` steps) below that radius, halving again. `found`
    tells `epsilon`, or `above` where nothing fooled. It is the smallest *found*: a stronger
    attack may find a smaller one. Source for distances per image: Carlini et al. 2019,
    arXiv:1902.06705.
    """
    quest = _along_gradient(model, batch, max_epsilon, sweep, resolution)
    if attack in WALKS:
        _attack_below(quest, model, batch, max_epsilon, resolution, WALKS[attack], steps)
    found = [_told(radius, max_epsilon) for radius in quest.radius.tolist()]
    yield Altered(
        {"epsilon": float(max_epsilon)}, quest.images.cpu(), None, found, quest.spent.tolist()
    )


def _check(p: Mapping[str, Any]) -> None:
    attack, most, resolution = p["attack"], p["max_epsilon"], p["resolution"]
    if attack not in ATTACKS:
        hint = did_you_mean(str(attack), list(ATTACKS))
        raise HipauditError(f"`attack` one of {', '.join(ATTACKS)}", f"{attack!r}", hint)
    positive(max_epsilon=most)
    radii(most)
    at_least(1, sweep=p["sweep"], steps=p["steps"])
    positive(resolution=resolution)
    if not FINEST <= resolution <= most:
        raise HipauditError(f"`resolution` from {FINEST:g} to `max_epsilon`", f"{resolution!r}")


def _told(radius: float, max_epsilon: float) -> dict[str, Scalar]:
    return {"epsilon": radius} if math.isfinite(radius) else {"above": float(max_epsilon)}


@dataclass
class _Quest:
    """Columns of length N: the smallest radius that fools so far (inf: none) and its image;
    `low`: the largest tried below it that did not; forwards spent."""

    images: Tensor
    radius: Tensor
    low: Tensor
    spent: Tensor

    def note(self, rows: Tensor, radius: Tensor, images: Tensor, fooled: Tensor) -> None:
        """What attempts at `radius` (M,) below the smallest so far came to."""
        hit = rows[fooled]
        self.images[hit], self.radius[hit] = images[fooled], radius[fooled]
        self.low[rows[~fooled]] = radius[~fooled]

    def wide(self, resolution: float) -> Tensor:
        """Row numbers whose bracket is still wider than `resolution`."""
        width = self.radius - self.low
        return torch.nonzero(torch.isfinite(width) & (width > resolution * (1 + 1e-6)))[:, 0]


def _along_gradient(
    model: Attackable, batch: Batch, max_epsilon: float, sweep: int, resolution: float
) -> _Quest:
    """The sweep and the bisection with one gradient: a forward for every radius tried."""
    device = device_of(model)
    x, y = batch.x.to(device), batch.y.to(device)
    open_ = torch.from_numpy(batch.open).to(device)
    direction = look(model, x, y).gradient.sign()
    none = torch.full((len(x),), torch.inf, dtype=torch.float64, device=device)
    quest = _Quest(x.clone(), none, torch.zeros_like(none), torch.ones_like(y))

    def attempt(rows: Tensor, radius: Tensor) -> None:
        moved = x[rows] + radius.float()[:, None, None, None] * direction[rows]
        images = moved.clamp(0.0, 1.0)
        fooled = ask(model, images, y[rows]) > clear_margin(model)
        quest.spent[rows] += 1
        quest.note(rows, radius, images, fooled)

    for turn in range(1, sweep + 1):
        rows = torch.nonzero(open_ & torch.isinf(quest.radius))[:, 0]
        if len(rows):
            attempt(rows, torch.full_like(none, max_epsilon * turn / sweep)[rows])
    while len(rows := quest.wide(resolution)):
        attempt(rows, (quest.low[rows] + quest.radius[rows]) / 2)
    return quest


def _attack_below(
    quest: _Quest,
    model: Attackable,
    batch: Batch,
    max_epsilon: float,
    resolution: float,
    walk: Callable[[Hunt, Tensor, Tensor, int], None],
    steps: int,
) -> None:
    """Whole attacks below what the gradient alone found, from 0 on; at the maximum if nothing."""

    def attempt(rows: Tensor, radius: Tensor) -> None:
        tried = torch.zeros(len(batch.y), dtype=torch.bool)
        tried[rows.cpu()] = True
        hunt = Hunt(model, replace(batch, open=tried.numpy()), rounded=False)
        walk(hunt, rows, radius.float()[:, None, None, None], steps)
        quest.spent += hunt.spent
        fooled = hunt.margin[rows] > hunt.clear
        quest.note(rows, radius, hunt.images[rows], fooled)

    open_ = torch.from_numpy(batch.open).to(quest.radius.device)
    quest.low.zero_()
    rows = torch.nonzero(open_ & torch.isinf(quest.radius))[:, 0]
    if len(rows):
        attempt(rows, torch.full_like(quest.radius, max_epsilon)[rows])
    while len(rows := quest.wide(resolution)):
        attempt(rows, (quest.low[rows] + quest.radius[rows]) / 2)

"""APGD: projected gradient ascent that chooses its step sizes itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from audit.errors import HipauditError, did_you_mean
from audit.stresses.hunt import Box, Hunt, box, everywhere, random_start
from audit.stresses.looking import Loss, ask, cross_entropy, difference_of_logits_ratio, look
from audit.stresses.radii import at_least, radii
from audit.stresses.registry import Altered, Attackable, Batch, stress

LOSSES: dict[str, Loss] = {"ce": cross_entropy, "dlr": difference_of_logits_ratio}
MOMENTUM = 0.75  # the paper's α
SHARE = 0.75  # its ρ: steps of a stretch that must gain, or the step size is halved


@stress(
    "apgd",
    kind="attack",
    norm="linf",
    needs_gradients=True,
    budget=lambda _, variant: float(variant["epsilon"]),
    # each restart: the start and its steps, no gradient at the last, and one look at 8 bits
    cost=lambda p: len(radii(p["epsilons"])) * p["restarts"] * (3.0 * p["steps"] + 2),
    check=lambda p: _look_over(p),
    fits=lambda p, classes: _objective(p["loss"], classes),
)
def apgd(
    model: Attackable,
    batch: Batch,
    *,
    epsilons: Sequence[float] = (1 / 255, 2 / 255, 4 / 255, 8 / 255),
    steps: int = 50,
    restarts: int = 1,
    loss: str = "ce",
    stop_early: bool = True,
) -> Iterator[Altered]:
    """Auto-PGD: steps from 2ε down, halved at checkpoints where the loss stopped rising.

    `loss` "ce" (two classes and more) or "dlr" (three and more). Random starts, the active set
    and `stop_early` as in `pgd`. Source: Croce & Hein 2020, arXiv:2003.01690.
    """
    objective = _objective(loss, len(model.classes))
    hunt = Hunt(model, batch, stop_early)
    for epsilon in sorted(radii(epsilons)):
        for _ in range(restarts):
            rows = hunt.left()
            if len(rows):
                walk(hunt, rows, everywhere(epsilon, rows, hunt.x), steps, objective)
        yield hunt.altered({"epsilon": epsilon})


def _look_over(p: Mapping[str, Any]) -> None:
    at_least(1, steps=p["steps"], restarts=p["restarts"])
    if p["loss"] not in LOSSES:
        hint = did_you_mean(str(p["loss"]), list(LOSSES))
        raise HipauditError('`loss` "ce" or "dlr"', f"{p['loss']!r}", hint)


def _objective(loss: str, classes: int) -> Loss:
    if loss == "dlr" and classes < 3:
        raise HipauditError(
            "three classes for the DLR loss", f"{classes}", 'Use loss="ce", made for two.'
        )
    return LOSSES[loss]


@dataclass
class _Walk:
    """One restart of M cases: columns of equal length. `best` is the point of highest loss.

    `gained`: steps since the last checkpoint that raised the loss; `halved`: whether the step
    size was halved there; `record`: the highest loss at that time.
    """

    rows: Tensor
    y: Tensor
    inside: Box
    current: Tensor
    previous: Tensor
    gradient: Tensor
    loss: Tensor
    best: Tensor
    best_gradient: Tensor
    best_loss: Tensor
    size: Tensor
    gained: Tensor
    halved: Tensor
    record: Tensor

    def only(self, on: Tensor) -> None:
        for column in fields(self):
            value = getattr(self, column.name)
            setattr(self, column.name, value.only(on) if isinstance(value, Box) else value[on])


def walk(
    hunt: Hunt, rows: Tensor, epsilon: Tensor, steps: int, objective: Loss = cross_entropy
) -> None:
    """One random start of each of `rows`, ε (M, 1, 1, 1), and its steps, noted in `hunt`."""
    state = _started(hunt, rows, epsilon, objective)
    checks = checkpoints(steps)
    for step in range(steps):
        if not len(state.rows):
            return
        _move(state, first=step == 0)
        if step == steps - 1:
            hunt.note(state.rows, state.current, ask(hunt.model, state.current, state.y))
            return
        seen = look(hunt.model, state.current, state.y, objective)
        _record(state, seen.loss, seen.gradient)
        on = hunt.note(state.rows, state.current, seen)
        if not on.all():
            state.only(on)
        if step + 1 in checks:
            _check(state, step + 1 - checks[checks.index(step + 1) - 1])


def checkpoints(steps: int) -> list[int]:
    """Numbers of steps after which step sizes are reconsidered, 0 first (section 3.1).

    >>> checkpoints(100)
    [0, 22, 41, 57, 70, 80, 87, 93, 99]
    """
    parts = [0, 22]  # in hundredths, so that rounding up meets no float just above a whole
    while parts[-1] < 100:
        parts.append(parts[-1] + max(parts[-1] - parts[-2] - 3, 6))
    return [math.ceil(part * steps / 100) for part in parts if part <= 100]


def _started(hunt: Hunt, rows: Tensor, epsilon: Tensor, objective: Loss) -> _Walk:
    x, y = hunt.x[rows], hunt.y[rows]
    inside = box(x, epsilon)
    start = random_start(x, epsilon, inside, [hunt.rngs[row] for row in rows.tolist()])
    seen = look(hunt.model, start, y, objective)
    on = hunt.note(rows, start, seen)
    like = torch.zeros_like(seen.loss)
    state = _Walk(
        rows=rows,
        y=y,
        inside=inside,
        current=start,
        previous=start,
        gradient=seen.gradient,
        loss=seen.loss,
        best=start.clone(),
        best_gradient=seen.gradient.clone(),
        best_loss=seen.loss.clone(),
        size=2 * epsilon.flatten(),
        gained=like.clone(),
        halved=torch.zeros_like(like, dtype=torch.bool),
        record=seen.loss.clone(),
    )
    state.only(on)
    return state


def _move(state: _Walk, first: bool) -> None:
    """A signed step, then the same again with a quarter of the last movement mixed in."""
    stepped = state.current + state.size[:, None, None, None] * state.gradient.sign()
    stepped = state.inside.nearest(stepped)
    if not first:
        mixed = MOMENTUM * (stepped - state.current)
        mixed += (1 - MOMENTUM) * (state.current - state.previous)
        stepped = state.inside.nearest(state.current + mixed)
    state.previous, state.current = state.current, stepped


def _record(state: _Walk, loss: Tensor, gradient: Tensor) -> None:
    state.gained += loss > state.loss
    higher = loss > state.best_loss
    state.best[higher] = state.current[higher]
    state.best_gradient[higher] = gradient[higher]
    state.best_loss = torch.maximum(state.best_loss, loss)
    state.loss, state.gradient = loss, gradient


def _check(state: _Walk, stretch: int) -> None:
    """Halve the step and go back to the best point where too few of `stretch` steps gained, or
    where neither the step size nor the highest loss changed since the last checkpoint."""
    stuck = ~state.halved & (state.best_loss <= state.record)
    halve = (state.gained < SHARE * stretch) | stuck
    state.size = torch.where(halve, state.size / 2, state.size)
    state.current = torch.where(halve[:, None, None, None], state.best, state.current)
    state.gradient = torch.where(halve[:, None, None, None], state.best_gradient, state.gradient)
    state.loss = torch.where(halve, state.best_loss, state.loss)
    state.halved, state.record = halve, state.best_loss.clone()
    state.gained = torch.zeros_like(state.gained)

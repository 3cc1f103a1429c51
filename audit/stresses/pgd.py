"""PGD: projected gradient ascent inside the ε-ball, with random restarts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from audit.stresses.hunt import Box, Hunt, box, everywhere, random_start
from audit.stresses.looking import ask, look
from audit.stresses.radii import at_least, positive, radii
from audit.stresses.registry import Altered, Attackable, Batch, stress


@stress(
    "pgd",
    kind="attack",
    norm="linf",
    needs_gradients=True,
    budget=lambda _, variant: float(variant["epsilon"]),
    # each restart: its steps, a last look, and one at 8 bits
    cost=lambda p: len(radii(p["epsilons"])) * p["restarts"] * (3.0 * p["steps"] + 2),
    check=lambda p: _check(p),
)
def pgd(
    model: Attackable,
    batch: Batch,
    *,
    epsilons: Sequence[float] = (1 / 255, 2 / 255, 4 / 255, 8 / 255),
    steps: int = 20,
    restarts: int = 1,
    travel: float = 2.5,
    stop_early: bool = True,
) -> Iterator[Altered]:
    """`steps` signed-gradient steps of size travel·ε/steps, projected on the ε-ball around x.

    Each restart begins at a point uniform in the ball, drawn from the case's own generator.
    A case is left alone once it is fooled, at larger radii too, where the same image counts;
    `stop_early` False walks every step of every restart. Where nothing fools, the image of the
    highest margin is given. Source: Madry et al. 2018, arXiv:1706.06083.
    """
    hunt = Hunt(model, batch, stop_early)
    for epsilon in sorted(radii(epsilons)):
        for _ in range(restarts):
            rows = hunt.left()
            if len(rows):
                walk(hunt, rows, everywhere(epsilon, rows, hunt.x), steps, travel)
        yield hunt.altered({"epsilon": epsilon})


def _check(p: Mapping[str, Any]) -> None:
    at_least(1, steps=p["steps"], restarts=p["restarts"])
    positive(travel=p["travel"])


def walk(hunt: Hunt, rows: Tensor, epsilon: Tensor, steps: int, travel: float = 2.5) -> None:
    """One random start of each of `rows`, ε (M, 1, 1, 1), and its steps, noted in `hunt`."""
    x, y, step = hunt.x[rows], hunt.y[rows], travel * epsilon / steps
    inside = box(x, epsilon)
    current = random_start(x, epsilon, inside, [hunt.rngs[row] for row in rows.tolist()])
    for _ in range(steps):
        seen = look(hunt.model, current, y)
        on = hunt.note(rows, current, seen)
        gradient = seen.gradient
        if not on.all():
            rows, y, step, inside = rows[on], y[on], step[on], inside.only(on)
            current, gradient = current[on], gradient[on]
        if not len(rows):
            return
        current = ascended(current, gradient, inside, step)
    hunt.note(rows, current, ask(hunt.model, current, y))


def ascended(current: Tensor, gradient: Tensor, inside: Box, step: Tensor) -> Tensor:
    """One step (M, 1, 1, 1) along the gradient's sign, back inside the box."""
    return inside.nearest(current + step * gradient.sign())

"""The rotation–translation attack: the worst of many small turns and shifts, per image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audit.errors import HipauditError, did_you_mean
from audit.results import Scalar
from audit.stresses.candidates import at_once
from audit.stresses.radii import at_least
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.warp import canvas, check_filling, cut, warp, whole_pixels

MODES = ("worst_of_k", "grid")
REACH = {"angles": 180.0, "shifts": 0.99}


def spread(steps: int | Sequence[float], limit: float, what: str) -> list[float]:
    """`steps` equal steps from -limit to limit (one step is 0), or the values given.

    >>> spread(5, 0.1, "shifts")
    [-0.1, -0.05, 0.0, 0.05, 0.1]
    """
    if isinstance(steps, float):
        raise HipauditError(f"a whole number of {what}, or a list of them", f"{steps!r}")
    if isinstance(steps, int):
        values = [0.0] if steps == 1 else _equal_steps(steps, limit)
    else:
        values = [float(value) for value in steps if is_number(value)]
        values = values if len(values) == len(steps) else []
    if not values:
        raise HipauditError(f"one or more finite {what}", f"{steps!r}")
    if max(map(abs, values)) > REACH[what]:
        raise HipauditError(f"{what} within ±{REACH[what]}", f"{steps!r}")
    return values


def _equal_steps(count: int, limit: float) -> list[float]:
    return [round(float(v), 12) + 0.0 for v in np.linspace(-limit, limit, max(count, 0))]


def is_number(value: object) -> bool:
    """A finite number, and not text that looks like one."""
    return isinstance(value, int | float) and bool(np.isfinite(value))


def check_limits(max_angle: float, max_shift: float) -> None:
    """HipauditError unless max_angle is 0–180 degrees and max_shift 0–0.99 of the side."""
    if not (is_number(max_angle) and 0 <= max_angle <= REACH["angles"]):
        raise HipauditError("max_angle from 0 to 180 degrees", f"{max_angle!r}")
    if not (is_number(max_shift) and 0 <= max_shift <= REACH["shifts"]):
        raise HipauditError("max_shift from 0 to 0.99 of the side", f"{max_shift!r}")


def count(steps: int | Sequence[float]) -> int:
    """How many values `spread` gives."""
    return steps if isinstance(steps, int) else len(steps)


def _cost(params: Mapping[str, Any]) -> float:
    if params["mode"] == "grid":
        return float(count(params["angles"]) * count(params["shifts"]) ** 2)
    return float(params["k"])


def look_over(p: Mapping[str, Any]) -> None:
    """HipauditError for limits, steps or words that no cell can be made of."""
    check_limits(p["max_angle"], p["max_shift"])
    check_filling(p["fill"], p["interpolation"])
    spread(p["angles"], p["max_angle"], "angles")
    spread(p["shifts"], p["max_shift"], "shifts")


def _check(p: Mapping[str, Any]) -> None:
    look_over(p)
    at_least(1, k=p["k"])
    if p["mode"] not in MODES:
        hint = did_you_mean(str(p["mode"]), list(MODES))
        raise HipauditError("a mode of rotation_translation", f'"{p["mode"]}"', hint)


@stress("rotation_translation", kind="attack", variants="search", cost=_cost, check=_check)
def rotation_translation(
    _model: Attackable,
    batch: Batch,
    *,
    mode: str = "worst_of_k",
    k: int = 10,
    angles: int | Sequence[float] = 31,
    shifts: int | Sequence[float] = 5,
    max_angle: float = 30.0,
    max_shift: float = 0.1,
    fill: str = "zero",
    interpolation: str = "bilinear",
) -> Iterator[Altered]:
    """Small rotations and shifts; an image is fooled when any of them fools it.

    `mode` "worst_of_k": k draws per case, angle uniform in ±max_angle degrees, shifts uniform
    over the whole pixels within ±max_shift of each side. "grid": every cell of angles × shifts
    × shifts (31 × 5 × 5 = 775), large angles first, which changes the time and not the
    result. Only cases still open are altered. Shifts are whole pixels, cut towards 0; `found`
    holds the angle and the shift applied, as parts of width (dx) and height (dy).
    Directions: `audit.stresses.warp`. Black box: no gradient, only the decision.
    Source: Engstrom et al. 2019, arXiv:1712.02779.
    """
    if mode == "grid":
        turns, moves = spread(angles, max_angle, "angles"), spread(shifts, max_shift, "shifts")
        yield from _grid(batch, turns, moves, fill, interpolation)
    else:
        yield from _draws(batch, k, max_angle, max_shift, fill, interpolation)


def _draws(
    batch: Batch, k: int, max_angle: float, max_shift: float, fill: str, interpolation: str
) -> Iterator[Altered]:
    height, width = batch.x.shape[-2:]
    far_x, far_y = whole_pixels(max_shift, width), whole_pixels(max_shift, height)
    # All draws of a case before any is tried: they must not depend on which cases stay open.
    drawn = [
        [
            (
                float(rng.uniform(-max_angle, max_angle)),
                int(rng.integers(-far_x, far_x + 1)),
                int(rng.integers(-far_y, far_y + 1)),
            )
            for _ in range(k)
        ]
        for rng in batch.rngs
    ]
    for rows, draws in at_once(batch, range(k)):
        each = list(product(draws, rows))
        transforms = [drawn[row][draw] for draw, row in each]
        whose = [row for _, row in each]
        moved = list(zip(*transforms, strict=True))
        images = warp(batch.x[whose], *moved, fill=fill, interpolation=interpolation)
        found = [applied(*transform, height, width) for transform in transforms]
        yield Altered({}, images, whose, found, variants=[{"draw": draw} for draw, _ in each])


def _grid(
    batch: Batch, angles: list[float], shifts: list[float], fill: str, interpolation: str
) -> Iterator[Altered]:
    """Large angles first, far shifts first; one rotation per angle, a slice per shift."""
    height, width = batch.x.shape[-2:]
    reach = reach_of(shifts, height, width)
    turns = sorted(angles, key=lambda value: -abs(value))
    moves = sorted(product(shifts, shifts), key=lambda move: -abs(move[0]) - abs(move[1]))
    turned: dict[float, tuple[list[int], Tensor]] = {}
    for rows, cells in at_once(batch, list(product(turns, moves))):
        images: list[Tensor] = []
        found: list[Mapping[str, Scalar]] = []
        variants: list[Mapping[str, Scalar]] = []
        for angle, (dx, dy) in cells:
            if angle not in turned:
                turned = {angle: (rows, canvas(batch.x[rows], angle, reach, fill, interpolation))}
            held_rows, held = turned[angle]
            right, down = whole_pixels(dx, width), whole_pixels(dy, height)
            images.append(cut(held, right, down, reach)[[held_rows.index(row) for row in rows]])
            found += [applied(angle, right, down, height, width)] * len(rows)
            variants += [{"angle": angle, "dx": dx, "dy": dy}] * len(rows)
        yield Altered({}, torch.cat(images), rows * len(cells), found, variants=variants)


def reach_of(shifts: Sequence[float], height: int, width: int) -> tuple[int, int]:
    """The furthest shift in whole (columns, rows)."""
    far = max(abs(shift) for shift in shifts)
    return whole_pixels(far, width), whole_pixels(far, height)


def applied(angle: float, right: int, down: int, height: int, width: int) -> dict[str, Scalar]:
    """What was really done: degrees, and whole-pixel shifts as parts of width and height."""
    return {"angle": angle, "dx": right / width, "dy": down / height}

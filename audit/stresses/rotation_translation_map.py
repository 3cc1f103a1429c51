"""The accuracy map over angle × shift: every cell counts for every case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.results import Scalar
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.rotation_translation import (
    applied,
    count,
    look_over,
    reach_of,
    spread,
)
from audit.stresses.warp import canvas, cut, whole_pixels


def _cost(params: Mapping[str, Any]) -> float:
    return float(count(params["angles"]) * count(params["shifts"]) ** 2)


@stress("rotation_translation_map", kind="corruption", variants="cell", cost=_cost, check=look_over)
def rotation_translation_map(
    _model: Attackable,
    batch: Batch,
    *,
    angles: int | Sequence[float] = 7,
    shifts: int | Sequence[float] = 3,
    max_angle: float = 30.0,
    max_shift: float = 0.1,
    fill: str = "zero",
    interpolation: str = "bilinear",
) -> Iterator[Altered]:
    """Every rotation × horizontal × vertical shift of every case, for an accuracy heat map.

    Unlike the search of `rotation_translation` nothing is dropped, so the mean over cells is
    the average accuracy under a random cell. 7 × 3 × 3 = 63 cells by default; 31 and 5 give
    the 775 of Engstrom et al. 2019, arXiv:1712.02779. Parameters and directions as there.
    """
    height, width = batch.x.shape[-2:]
    moves = spread(shifts, max_shift, "shifts")
    reach = reach_of(moves, height, width)
    for angle in spread(angles, max_angle, "angles"):
        held = canvas(batch.x, angle, reach, fill, interpolation)
        for dy in moves:
            for dx in moves:
                right, down = whole_pixels(dx, width), whole_pixels(dy, height)
                images = cut(held, right, down, reach).contiguous()
                variant: dict[str, Scalar] = {"angle": angle, "dx": dx, "dy": dy}
                found = [applied(angle, right, down, height, width)] * len(images)
                yield Altered(variant, images, None, found)

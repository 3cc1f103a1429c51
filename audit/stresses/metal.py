"""Overlaid metal: an implant in front of the anatomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from audit.cases.case import Pixels
from audit.errors import HipauditError, did_you_mean
from audit.stresses.implants import SHAPES, Placement, rods, shadow, unit_area
from audit.stresses.radii import positive
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import over_channels, per_severity, severities


def _areas(values: Sequence[float]) -> list[float]:
    return severities("areas", values, 0.0001, 0.25)


@stress(
    "metal",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_areas(p["areas"])),
    check=lambda p: _check(p),
)
def metal(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    areas: Sequence[float] = (0.005, 0.01, 0.02, 0.04, 0.08),
    shape: str = "any",
    attenuation: float = 6.0,
    depth: float = 4.0,
) -> Iterator[Altered]:
    """An implant whose shadow covers the part `areas` of the native image.

    `shape` is "screw", "nail" (with its locking bolt), "plate" (with its screws), "prosthesis"
    (head and stem) or "any" of them, drawn. It, its direction, side and place are drawn once per
    case, whatever the label: the place evenly over what keeps it within the image; one too long
    is cut off. Every part is a solid rod: rays through its axis meet the optical thickness
    μt = `attenuation`, others in proportion to the chord. As in `quantum_noise`, a displayed
    pixel v stands for the intensity exp(-`depth`·v); metal over the part c of a pixel leaves the
    intensity times 1 - c + c·exp(-μt) (Beer–Lambert), so it adds to v, and white stays white.
    6 is 17 mm of titanium or 6 mm of steel at 60 keV (NIST XCOM). Not modelled: scatter, beam
    hardening, and anatomy that makes room.

    Raises HipauditError for `areas` outside [0.0001, 0.25] or not rising, an unknown `shape`,
    `attenuation` or `depth` not above 0.
    """
    among = list(SHAPES) if shape == "any" else [shape]
    placements = [_drawn(rng, among) for rng in batch.rngs]

    def alter(pixels: Pixels, area: float, placement: Placement) -> Pixels:
        return implanted(pixels, area, placement, attenuation, depth)

    yield from per_severity(batch, "area", _areas(areas), placements, alter)


def _check(p: Mapping[str, Any]) -> None:
    positive(attenuation=p["attenuation"], depth=p["depth"])
    shape = p["shape"]
    if shape != "any" and shape not in SHAPES:
        fix = did_you_mean(str(shape), ["any", *SHAPES])
        raise HipauditError("`shape` to be one of metal's", f"{shape!r}", fix)


def _drawn(rng: np.random.Generator, shapes: Sequence[str]) -> Placement:
    shape = shapes[int(rng.integers(len(shapes)))]
    turn = float(rng.uniform(0.0, 2 * np.pi))
    mirrored = bool(rng.integers(2))
    down, right = rng.random(2)
    return Placement(shape, turn, mirrored, (float(down), float(right)))


def implanted(
    pixels: Pixels, area: float, placement: Placement, attenuation: float, depth: float
) -> Pixels:
    """Pixels (H, W) or (H, W, 3) with the implant's shadow over the part `area` of them."""
    height, width = pixels.shape[:2]
    scale = np.sqrt(area * height * width / unit_area(placement.shape))
    # where two rods cross, the thicker one counts: they are one piece
    added = np.zeros((height, width), np.float32)
    for rod in rods(placement, scale, height, width):
        places, density = shadow(rod, height, width, attenuation)
        added[places] = np.maximum(added[places], density)
    added /= np.float32(depth)
    altered: Pixels = pixels + over_channels(added, pixels)
    return np.minimum(altered, np.float32(1), out=altered)

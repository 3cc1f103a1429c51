"""Quantum noise: the same radiograph at a lower dose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audit.cases.case import Pixels
from audit.speed.threads import spread
from audit.stresses.radii import positive
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import severities

LEAST = 1e-6  # a dose of nothing leaves no image


def _doses(values: Sequence[float]) -> list[float]:
    return severities("doses", values, LEAST, 1.0, falling=True)


@stress(
    "quantum_noise",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_doses(p["doses"])),
    check=lambda p: positive(photons=p["photons"], depth=p["depth"]),
)
def quantum_noise(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    doses: Sequence[float] = (0.5, 0.25, 0.1, 0.05, 0.02),
    photons: float = 10_000.0,
    depth: float = 4.0,
) -> Iterator[Altered]:
    """Each native image as if taken with a fraction of its dose (`doses`, from 1e-6 to 1).

    A displayed pixel v is taken as attenuation, so bright bone lets few quanta through:
    N(v) = photons·exp(-depth·v) reach a native pixel at the reference dose (Beer–Lambert).
    The image is taken to carry its own noise already. Keeping each quantum with probability d
    (binomial thinning) then gives counts that are exactly Poisson(d·N), and at d = 1 the image
    itself. With the defaults, mid-grey has about 1,350 quanta: some 2 µGy of RQA5 at the
    detector (30,174 per mm² and µGy, IEC 62220-1-1) on a 0.143 mm pixel. Not modelled: blur
    and electronic noise of the detector, and processing after the exposure.

    Raises HipauditError for a dose outside [1e-6, 1] or not falling, and unless photons and
    depth are above 0.
    """
    for dose in _doses(doses):
        columns = batch.pixels, *([value] * len(batch.pixels) for value in (dose, photons, depth))
        yield Altered({"dose": dose}, spread(thinned, *columns, batch.rngs))


def thinned(
    pixels: Pixels, dose: float, photons: float, depth: float, rng: np.random.Generator
) -> Pixels:
    """Pixels (H, W) or (H, W, 3) in [0, 1] at a fraction of their dose.

    Colour images get one noise for their three channels, from the channels' mean: a grey
    radiograph stored as RGB stays grey. A pixel no quantum reaches counts as half a quantum.
    """
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    quanta = np.maximum(1, np.round(photons * np.exp(-depth * grey.astype(np.float64))))
    kept = np.maximum(0.5, rng.binomial(quanta.astype(np.int64), dose))
    change = -np.log(kept / (dose * quanta)) / depth  # (H, W)
    if pixels.ndim == 3:
        change = change[:, :, None]
    return np.asarray(np.clip(pixels + change, 0.0, 1.0), dtype=np.float32)

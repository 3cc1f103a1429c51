"""The invented machines: how sharp and how noisy they are, and how they show an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scanner:
    """An invented machine.

    `blur`: standard deviation of the detector's point spread, pixels, so that its modulation
    transfer is exp(-2π²·blur²·f²) at f cycles per pixel. `photons`: per pixel in the open beam
    at usual dose. Its look-up table: `edge`, share of an unsharp mask of `radius` (share of the
    image's side); `curve`, an exponent; `toe`, how S-shaped, 0 to 1. `inverted`: stores
    MONOCHROME1.
    """

    maker: str
    model: str
    blur: float
    photons: float
    edge: float
    radius: float
    curve: float
    toe: float
    inverted: bool


SCANNERS = (
    Scanner("SYNTHETIC Alpha", "SYN-100", 0.45, 9000.0, 0.5, 0.04, 1.0, 0.0, False),
    Scanner("SYNTHETIC Beta", "SYN-200", 0.60, 5000.0, 0.9, 0.025, 0.85, 0.5, True),
    Scanner("SYNTHETIC Gamma", "SYN-300", 0.75, 3000.0, 0.3, 0.06, 1.15, 0.2, False),
)

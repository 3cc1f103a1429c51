"""Synthetic pictures in which everything a model could read has a known place and value.

32 × 32 grey noise on a slope. The lesion, a square in the middle, is brighter than the ring around
it by `log-odds / GAIN`, exactly; so the right answer of every picture can be written into it.
Around it lie a patch that tells the view, one that tells the sex, a side marker in a corner, and
the brightness of the whole, which tells the scanner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from audit.cases.case import Cases
from audit.cases.read import from_arrays

SIDE = 32
GAIN = 40.0
GREY = 0.4
LESION = (slice(12, 20), slice(12, 20))
RING = (slice(9, 23), slice(9, 23))
VIEW = (slice(5, 8), slice(5, 8))
SEX = (slice(5, 8), slice(24, 27))
MARKER = (slice(0, 3), slice(28, 32))
CLASSES = ("normal", "fracture")
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# A fair model's scores: probabilities, and how many of 40 cases at each are fractures.
LEVELS = (0.05, 0.1, 0.2, 0.8, 0.9, 0.95)
COPIES = 40


def ring() -> Bools:
    """(SIDE, SIDE): the ring around the lesion, without it."""
    found = np.zeros((SIDE, SIDE), dtype=bool)
    found[RING] = True
    found[LESION] = False
    return found


def pictures(
    log_odds: Sequence[float] | Floats,
    *,
    seed: int = 0,
    view: Bools | None = None,
    sex: Bools | None = None,
    marker: Bools | None = None,
    offset: Floats | None = None,
    noise: float = 0.05,
) -> npt.NDArray[np.float32]:
    """(N, SIDE, SIDE) in [0, 1]. `view`, `sex`, `marker`: where their patch is bright."""
    told = np.asarray(log_odds, dtype=np.float64)
    n = len(told)
    drawn = np.random.default_rng(seed).uniform(-noise, noise, (n, SIDE, SIDE))
    around = ring()
    drawn[:, around] -= drawn[:, around].mean(axis=1, keepdims=True)
    drawn[:, *LESION] -= drawn[:, *LESION].mean(axis=(1, 2), keepdims=True)
    images = GREY + drawn + _body(n, seed)
    images[:, *LESION] += (told / GAIN)[:, None, None]
    for place, bright in ((VIEW, view), (SEX, sex)):
        if bright is not None:
            images[:, *place] = np.where(bright, 0.7, 0.1)[:, None, None]
    if marker is not None:
        images[:, *MARKER] = np.where(marker[:, None, None], 0.95, images[:, *MARKER])
    if offset is not None:
        images += offset[:, None, None]
    return images.clip(0, 1).astype(np.float32)


def _body(n: int, seed: int) -> Floats:
    """(n, SIDE, SIDE): a slope across each picture, which lesion and ring average out.

    It outweighs the lesion in the spectrum, so that no measure of quality sees how plain that is.
    """
    across = np.linspace(-1, 1, SIDE)
    drawn = np.random.default_rng([seed, 1])
    down, right = drawn.uniform(0.08, 0.12, (2, n, 1, 1)) * drawn.choice([-1, 1], (2, n, 1, 1))
    return np.asarray(down * across[:, None] + right * across)


def calibrated(levels: Sequence[float] = LEVELS, copies: int = COPIES) -> tuple[Floats, Bools]:
    """(N,) log-odds and (N,) fractures: at each level exactly that share is a fracture.

    The likelihood of a logistic recalibration is then at its maximum at slope 1, intercept 0.
    """
    odds, truth = [], []
    for level in levels:
        broken = round(level * copies)
        odds += [np.log(level / (1 - level))] * copies
        truth += [True] * broken + [False] * (copies - broken)
    return np.array(odds), np.array(truth)


def cases_of(
    images: npt.NDArray[Any],
    truth: Bools,
    attributes: Mapping[str, Sequence[Any]] | None = None,
    patients: Sequence[Any] | None = None,
    **more: Any,
) -> Cases:
    """Cases in memory, each a patient of its own unless said otherwise."""
    labels = [CLASSES[int(broken)] for broken in truth]
    if patients is None:
        patients = list(range(len(truth)))
    return from_arrays(images, labels, attributes=attributes, patients=patients, **more)


def tossed(n: int, seed: int) -> Bools:
    """(n,) a fair coin each."""
    return np.random.default_rng(seed).random(n) < 0.5


def named(flags: Bools, yes: str, no: str) -> list[str]:
    return [yes if flag else no for flag in flags]


def plain_cases(seed: int = 0) -> Cases:
    """240 calibrated cases of which nothing else is known."""
    odds, truth = calibrated()
    return cases_of(pictures(odds, seed=seed), truth)


def sound_cases(seed: int = 0) -> Cases:
    """240 calibrated cases whose view, sex and scanner have nothing to do with the answer."""
    odds, truth = calibrated()
    n = len(odds)
    lateral, female, second = (tossed(n, 100 * seed + k) for k in (1, 2, 3))
    images = pictures(odds, seed=seed, view=lateral, sex=female, offset=0.1 * second)
    attributes = {
        "view": named(lateral, "lateral", "frontal"),
        "sex": named(female, "F", "M"),
        "scanner": named(second, "B", "A"),
    }
    return cases_of(images, truth, attributes)

"""What is compared: arms of a case, and how they take turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from benchmarks.peers.counting import counted

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """`fooled` (n,): decided otherwise than before, asked again of the untouched network.

    `candidates`: altered images the arm looked at; None: as many as it sent forward.
    """

    fooled: Bools
    candidates: int | None = None


@dataclass(frozen=True)
class Arm:
    """`images`: how many of the case's images it is given, the first ones. `note`: to be shown."""

    name: str
    run: Callable[[], Found]
    images: int
    note: str = ""


@dataclass
class Timed:
    """Seconds of each round; the first, apart, warmed up. Counts come from a round of their own."""

    found: Found
    images: int
    note: str
    warm_up: float
    forwards: int
    candidates: int
    seconds: list[float] = field(default_factory=list)


def take_turns(
    arms: Sequence[Arm], networks: Sequence[nn.Module], repeats: int, device: str
) -> Mapping[str, Timed]:
    """Every arm once per round. The first round warms up, and counts; it is not timed."""
    done: dict[str, Timed] = {}
    for arm in arms:
        with counted(networks) as count:
            seconds, found = _once(arm, device)
        candidates = count.forwards if found.candidates is None else found.candidates
        done[arm.name] = Timed(found, arm.images, arm.note, seconds, count.forwards, candidates)
    for _ in range(repeats):
        for arm in arms:
            seconds, _found = _once(arm, device)
            done[arm.name].seconds.append(seconds)
    return done


def _once(arm: Arm, device: str) -> tuple[float, Found]:
    start = time.perf_counter()
    found = arm.run()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start, found

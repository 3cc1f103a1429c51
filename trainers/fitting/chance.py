"""Random numbers of a training: functions of the seed and of what they are for.

Nothing is drawn from a stream that runs on from epoch to epoch, so a training taken up again
at an epoch draws what it would have drawn, and a range test takes no draw away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Generator

from audit.draws import generator


def number(seed: int, *parts: str) -> int:
    """A seed of 63 bits from `seed` and the purpose."""
    return int(generator(seed, *parts).integers(2**63))


def draws(seed: int, *parts: str) -> Generator:
    """A generator on the CPU for a purpose: ("order", "3") is the order of the third epoch."""
    return Generator().manual_seed(number(seed, *parts))


@contextmanager
def seeded(device: torch.device, seed: int, *parts: str) -> Iterator[None]:
    """Within: torch's own random numbers (dropout) for a purpose. After: as they were before."""
    cards = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        torch.manual_seed(number(seed, *parts))
        yield

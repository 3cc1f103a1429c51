"""Whether a network can take an input of a size: found by shapes alone, before any work."""

from __future__ import annotations

from functools import lru_cache

import torch

from audit.checkpoints.architectures import build, shapes_only
from audit.errors import HipauditError
from trainers.architectures import ROWS

USUAL, LARGEST = 224, 512
ENOUGH = 64  # every network of `ROWS` takes this; a test says so


def check_size(architecture: str, size: int, head: str) -> None:
    """HipauditError with the smallest size that works, where `size` × `size` is too small."""
    if (architecture in ROWS and size >= ENOUGH) or takes(architecture, size, head):
        return
    least = smallest(architecture, head)
    raise HipauditError(
        f"images of at least {least} × {least} for {architecture}",
        f"{size} × {size}",
        f"Use --size {least} or larger.",
    )


@lru_cache(maxsize=256)
def takes(architecture: str, size: int, head: str) -> bool:
    """Whether a batch of `size` × `size` passes through; no weight is allocated."""
    module = shapes_only(lambda: build(architecture, 2, head)).to("meta").eval()
    try:
        with torch.no_grad():
            module(torch.zeros(2, 3, size, size, device="meta"))
    except (RuntimeError, AssertionError):  # no pixel left of a map; a transformer's fixed size
        return False
    return True


def smallest(architecture: str, head: str) -> int:
    """The least size that passes, by bisection. Raises HipauditError if none usual does."""
    high = next((size for size in (USUAL, LARGEST) if takes(architecture, size, head)), None)
    if high is None:
        raise HipauditError(
            f"a network that takes images of {USUAL} × {USUAL}", architecture, "Name another."
        )
    low = 1
    while low < high:
        middle = (low + high) // 2
        if takes(architecture, middle, head):
            high = middle
        else:
            low = middle + 1
    return low

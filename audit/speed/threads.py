"""What is done to each image apart, on as many threads as the network has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch

Made = TypeVar("Made")
MOST = 8  # threads; each holds what is made of an image on the way


def spread(work: Callable[..., Made], *columns: Sequence[Any]) -> list[Made]:
    """`work` of each row of the columns (of one length), in order; raises what the first raised.

    Worth it where `work` is one long loop outside the interpreter, as NumPy's draws are. Not for
    torch, which shares its threads out by itself.
    """
    rows = list(zip(*columns, strict=True))
    threads = min(len(rows), torch.get_num_threads(), MOST)
    if threads < 2:
        return [work(*row) for row in rows]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda row: work(*row), rows))

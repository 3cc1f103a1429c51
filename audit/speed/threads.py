"""What is done to each image apart, on as many threads as the network has."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

Item = TypeVar("Item")
Made = TypeVar("Made")
MOST = 8  # threads; each holds what is made of an image on the way


def spread(
    work: Callable[..., Made], *columns: Sequence[Any], threads: int | None = None
) -> list[Made]:
    """`work` of each row of the columns (of one length), in order; raises what the first raised.

    Worth it where `work` is one long loop outside the interpreter, as NumPy's draws are. Torch
    shares its `threads` out by itself, unless it has `one_thread_each`.
    """
    rows = list(zip(*columns, strict=True))
    threads = min(len(rows), threads or torch.get_num_threads(), MOST)
    if threads < 2:
        return [work(*row) for row in rows]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda row: work(*row), rows))


def ahead(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """`work` of each item, in order; as many as there are threads are begun before they are due.

    For reading files, which another process may decode, while what was read is used.
    """
    threads = min(torch.get_num_threads(), MOST)
    if threads < 2:
        yield from map(work, items)
        return
    begun: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                begun.append(pool.submit(work, item))
                if len(begun) > threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for one in begun:
                one.cancel()


@contextmanager
def one_thread_each() -> Iterator[int]:
    """Torch computes with one thread in whatever thread it is asked; gives how many it had.

    For small tensors, where several would mostly wait for each other, and for sums that must not
    depend on how many there are.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield before
    finally:
        torch.set_num_threads(before)

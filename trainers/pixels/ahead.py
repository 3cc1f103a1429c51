"""Work done ahead of who takes it, but not further than a few items."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int = 1, waiting: int = 2
) -> Iterator[Result]:
    """`work(item)` in the order of the items, in threads, at most `waiting` results ahead.

    What `work` raises is raised where its result would have come.
    """
    left = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        queue: deque[Future[Result]] = deque(
            pool.submit(work, item) for item in islice(left, waiting)
        )
        try:
            while queue:
                first = queue.popleft()
                result = first.result()
                queue.extend(pool.submit(work, item) for item in islice(left, 1))
                yield result
        finally:
            for future in queue:
                future.cancel()

"""How many at a time: as many as asked, and half of that for as long as memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
KNOWN = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")


class Room:
    """`most` at a time. What did not fit once is not tried again."""

    def __init__(self, most: int, say: Callable[[str], None] = lambda _: None) -> None:
        self.most, self._say = max(1, most), say

    def parts(self, work: Callable[[slice], T], size: int) -> list[T]:
        """`work` on consecutive slices of `size`; raises what it raised where one does not fit."""
        done: list[T] = []
        start = 0
        while start < size:
            stop = min(size, start + self.most)
            try:
                done.append(work(slice(start, stop)))
            except (MemoryError, RuntimeError) as error:
                if self.most == 1 or not lacks_memory(error):
                    raise
                self.most = (stop - start) // 2 or self.most // 2  # one may be tried several ways
                self._say(f"not enough memory: batch reduced to {self.most}")
                continue
            start = stop
        return done


def lacks_memory(error: BaseException) -> bool:
    """Whether fewer images at a time could help: of a CPU, of CUDA, cuBLAS or cuDNN."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in KNOWN)

"""Images kept for the next run: every run looks at the same cases again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

from audit.cases.case import Case

ROOM = 128 * 2**20  # bytes, however many cases there are


class Kept:
    """The latest images, at most `room` bytes of them."""

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._taken = room, 0
        self._images: OrderedDict[int, tuple[Case, Tensor]] = OrderedDict()

    def get(self, case: Case, prepare: Callable[[Case], Tensor]) -> Tensor:
        """What `prepare` makes of the case, now or before; not to be written into.

        Known by the object and not by its id, which two readings of one image share.
        """
        key = id(case)
        if key in self._images:
            self._images.move_to_end(key)
            return self._images[key][1]
        x = prepare(case)
        size = x.nelement() * x.element_size()
        if size <= self._room:
            self._images[key] = (case, x)
            self._taken += size
        while self._taken > self._room:
            _, (_, dropped) = self._images.popitem(last=False)
            self._taken -= dropped.nelement() * dropped.element_size()
        return x

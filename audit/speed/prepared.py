"""Images kept for the next run: every run looks at the same cases again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from torch import Tensor

from audit.cases.case import Case, Pixels
from audit.speed.threads import ahead

Prepare = Callable[[Pixels], Tensor]
ROOM = 128 * 2**20  # bytes, however many cases there are


class Kept:
    """The latest images, or the first, at most `room` bytes of them.

    The first are worth more where one sample is gone through again and again and does not fit:
    of the latest each would be dropped shortly before it is asked for.
    """

    def __init__(self, room: int = ROOM, first: bool = False) -> None:
        self._room, self._first, self._taken = room, first, 0
        self._images: OrderedDict[int, tuple[Case, Tensor]] = OrderedDict()

    def get(self, case: Case, prepare: Prepare) -> Tensor:
        """What `prepare` makes of the case's pixels, now or before; not to be written into.

        Known by the object and not by its id, which two readings of one image share.
        """
        if id(case) in self._images:
            self._images.move_to_end(id(case))
            return self._images[id(case)][1]
        x = prepare(case.load())
        self._keep(case, x)
        return x

    def all(self, cases: Sequence[Case], prepare: Prepare) -> list[Tensor]:
        """`get` of each; what is not kept is read ahead."""
        made: dict[int, Tensor] = {}
        new = list({id(case): case for case in cases if id(case) not in self._images}.values())
        for case, pixels in zip(new, ahead(lambda one: one.load(), new), strict=True):
            made[id(case)] = prepare(pixels)
            self._keep(case, made[id(case)])
        return [made[id(case)] if id(case) in made else self.get(case, prepare) for case in cases]

    def _keep(self, case: Case, x: Tensor) -> None:
        size = x.nelement() * x.element_size()
        if size <= self._room - (self._taken if self._first else 0):
            self._images[id(case)] = (case, x)
            self._taken += size
        while self._taken > self._room:
            _, (_, dropped) = self._images.popitem(last=False)
            self._taken -= dropped.nelement() * dropped.element_size()

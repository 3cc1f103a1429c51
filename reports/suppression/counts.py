"""Which counts may stand: 0, or at least `below`; and what must go with one that may not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)
Cell = tuple[int, ...]


def small(count: int, below: int) -> bool:
    """Whether a count would point at so few persons that they could be known by it.

    >>> [small(count, 5) for count in (0, 1, 4, 5, -2)]
    [False, True, True, False, True]
    """
    return 0 < abs(count) < below


def any_small(cell: Cell, below: int) -> bool:
    return any(small(count, below) for count in cell)


def left_out(total: Cell, parts: Mapping[Name, Cell], hidden: set[Name], below: int) -> set[Name]:
    """The parts to leave out so that the total less those that stand is 0 or at least `below`.

    `hidden` are out already. The smallest others follow one by one, by name where they
    are as small. Parts of nothing but zeros stay, for leaving them out would hide nothing.

    >>> left_out((30,), {"a": (2,), "b": (9,), "c": (19,)}, {"a"}, 5) == {"a", "b"}
    True
    """
    out = set(hidden)
    order = sorted(
        (name for name in parts if name not in out), key=lambda name: (sum(parts[name]), repr(name))
    )
    waiting = [name for name in order if any(parts[name])]
    while waiting and any_small(_rest(total, parts, out), below):
        out.add(waiting.pop(0))
    return out


def _rest(total: Cell, parts: Mapping[Name, Cell], out: set[Name]) -> Cell:
    shown = [cell for name, cell in parts.items() if name not in out]
    return tuple(whole - sum(cell[i] for cell in shown) for i, whole in enumerate(total))

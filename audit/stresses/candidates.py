"""The candidates of a search over a fixed list: which come next, and which of them count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from audit.stresses.registry import Batch

T = TypeVar("T")


def still_open(batch: Batch) -> list[int]:
    """Rows of the cases that nothing has fooled yet."""
    return [int(row) for row in np.flatnonzero(batch.open)]


def at_once(batch: Batch, candidates: Sequence[T]) -> Iterator[tuple[list[int], Sequence[T]]]:
    """The open rows, and the candidates each of them is tried with next; until none is open.

    The fewer cases stand, the more candidates each gets at once, so that `batch.room` images go
    through the network together; never more than it has withstood already and one, so that
    whoever falls has cost at most twice what one at a time would have.
    """
    tried = 0
    while tried < len(candidates) and (rows := still_open(batch)):
        many = max(1, min(batch.room // len(rows), tried + 1))
        yield rows, candidates[tried : tried + many]
        tried += many


def up_to_the_first(rows: Sequence[int], fooled: npt.NDArray[np.bool_]) -> list[int]:
    """Places of the candidates that count: those of a case after the first that fools it do not.

    `rows`: the case of each candidate, in the order of trying; `fooled` (M,).

    >>> up_to_the_first([4, 7, 4, 7], np.array([False, True, True, True]))
    [0, 1, 2]
    """
    fallen: set[int] = set()
    places = []
    for place, (row, falls) in enumerate(zip(rows, fooled.tolist(), strict=True)):
        if row not in fallen:
            places.append(place)
        if falls:
            fallen.add(row)
    return places

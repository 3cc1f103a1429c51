"""What need not be counted twice: equal columns, and groups that are all the others' rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.findings.view import Ints

Single = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Split:
    """Of G groups, `free`: those to count. `rests`: (group, its siblings), which is the first
    group minus them."""

    groups: int
    free: Ints
    rests: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def fill(self, counted: Single) -> Single:
        """(..., free) sums -> (..., G). Whole numbers stay exact."""
        out = np.empty((*counted.shape[:-1], self.groups), dtype=counted.dtype)
        out[..., self.free] = counted
        for group, siblings in self.rests:
            out[..., group] = out[..., 0] - counted[..., np.searchsorted(self.free, siblings)].sum(
                axis=-1
            )
        return out


def split(inside: Single) -> Split:
    """Of (n, G) memberships: where everyone comes first, the last value of an attribute that
    every case has is the rest."""
    groups = inside.shape[1]
    if not len(inside) or not inside[:, 0].all():
        return Split(groups, np.arange(groups))
    rests: list[tuple[int, tuple[int, ...]]] = []
    run: list[int] = []
    covered = np.zeros(len(inside), dtype=np.float32)
    for group in range(1, groups):
        covered = covered + inside[:, group]
        run.append(group)
        if covered.max() > 1:  # another attribute has begun
            covered, run = inside[:, group].copy(), [group]
        if covered.min() == 1:
            rests.append((group, tuple(run[:-1])))
            covered, run = np.zeros(len(inside), dtype=np.float32), []
    follow = {group for group, _ in rests}
    free = np.array([group for group in range(groups) if group not in follow], np.int64)
    return Split(groups, free, tuple(rests))


def distinct(columns: npt.NDArray[np.generic]) -> tuple[Ints, Ints]:
    """(n, M) -> the first of each kind of column (U,), and which of those each one is (M,)."""
    places: dict[bytes, int] = {}
    first: list[int] = []
    kind = []
    for m, column in enumerate(np.ascontiguousarray(columns.T)):
        key = column.tobytes()
        if key not in places:
            places[key] = len(first)
            first.append(m)
        kind.append(places[key])
    return np.array(first, np.int64), np.array(kind, np.int64)

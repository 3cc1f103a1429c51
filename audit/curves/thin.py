"""Fewer points for a line that looks the same."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST = 200
APART = 1 / 500


def thinned(points: Floats, keep: int | None = None) -> Ints:
    """Which of the points (M, 2) to keep, rising: both ends and `keep` among them.

    The point furthest from the line through those kept so far joins them (Ramer 1972,
    doi:10.1016/S0146-664X(72)80017-0; Douglas & Peucker 1973), until none is further than 1/500
    or there are 200.

    >>> line = np.array([[0, 0], [0.25, 0.5], [0.5, 1], [1, 1.0]])
    >>> thinned(line).tolist()
    [0, 2, 3]
    """
    corners = _corners(points, keep)
    place = points[corners]
    fixed = [0, len(corners) - 1]
    if keep is not None:
        fixed.append(int(np.searchsorted(corners, keep)))
    kept = sorted(set(fixed))
    waiting: list[tuple[float, int, int, int]] = []
    for first, last in pairwise(kept):
        _look(waiting, place, first, last)
    while waiting and len(kept) < MOST:
        _, first, middle, last = heappop(waiting)
        kept.append(middle)
        _look(waiting, place, first, middle)
        _look(waiting, place, middle, last)
    return np.asarray(corners[np.sort(kept)])


def _look(waiting: list[tuple[float, int, int, int]], place: Floats, first: int, last: int) -> None:
    """Queues the point between two that is furthest from the straight line of both."""
    between = place[first + 1 : last]
    if not len(between):
        return
    start, run = place[first], place[last] - place[first]
    length = float(run @ run)
    offset = between - start
    part = np.clip(offset @ run / length, 0, 1) if length else np.zeros(len(between))
    apart = offset - part[:, None] * run
    squares = np.einsum("ij,ij->i", apart, apart)
    furthest = int(squares.argmax())
    if squares[furthest] > APART**2:
        heappush(waiting, (-float(squares[furthest]), first, first + 1 + furthest, last))


def _corners(points: Floats, keep: int | None) -> Ints:
    """Both ends, `keep` and every point at which the line turns."""
    steps = np.diff(points, axis=0)
    before, after = steps[:-1], steps[1:]
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    wanted = np.concatenate([[True], turns, [True]])[: len(points)]
    if keep is not None:
        wanted[keep] = True
    return np.flatnonzero(wanted)

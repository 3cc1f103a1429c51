"""A search for slices of the data in which a model is worse, honest about how many it looks at.

What was wrong is exchanged between patients while slices stay where they are: the largest score of
any slice in each exchange is what chance alone would find. Sources: Westfall & Young 1993,
Resampling-Based Multiple Testing, §2.6; the step-down form in Ge et al. 2003,
doi:10.1007/BF02595811.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Single = npt.NDArray[np.float32]
Weights = tuple[list[tuple[Bools, Single]], Array]
_BLOCK = 2_000_000  # exchanged cases held at once


@dataclass(frozen=True)
class Question:
    """`wrong` (N,) what may go wrong with a case, asked of the cases of these `outcomes`."""

    wrong: Bools
    outcomes: tuple[int, ...]


@dataclass(frozen=True)
class Searched:
    """(Q, S) for Q questions and S slices, NaN where too few could be asked: `excess`, how much
    more often a slice is wrong than the rest at its own mix of outcomes; `p`, one-sided, of that
    slice alone; `p_adjusted`, for all of them."""

    excess: Array
    p: Array
    p_adjusted: Array
    score: Array


def search(
    questions: Sequence[Question],
    slices: Bools,
    outcome: Ints,
    patients: Ints,
    fewest: int,
    draws: int,
    rng: np.random.Generator,
) -> Searched:
    """Ask every question of every slice. `slices` (N, S); `outcome`, `patients` (N,) integers.

    Images are exchanged between patients who have as many of each outcome, and within a patient
    among those of one outcome: patients stay whole, so their images may be alike, and a slice is
    not weak for its mix of outcomes. A slice counts where it and the rest have `fewest` cases.

    >>> rng = np.random.default_rng(0)
    >>> lateral, patients = np.arange(200) % 2 == 0, np.arange(200)
    >>> wrong = np.where(lateral, rng.random(200) < 0.5, rng.random(200) < 0.1)
    >>> slices = np.stack([lateral, ~lateral, patients < 100], axis=1)
    >>> asked = [Question(wrong, (0,))]
    >>> found = search(asked, slices, np.zeros(200, int), patients, 10, 999, rng)
    >>> (found.p_adjusted < 0.05).tolist()
    [[True, False, False]]
    """
    weights = [_weights(question, slices, outcome, fewest) for question in questions]
    excess = np.concatenate(
        [
            _excess(block, weights)
            for block in (_seen(questions), *exchanged(questions, outcome, patients, draws, rng))
        ]
    )  # (1 + B, Q·S), what was seen first
    asked = np.concatenate([np.isfinite(offset) for _, offset in weights])
    shape = len(questions), slices.shape[1]
    full = np.full((4, asked.size), np.nan)
    if asked.any():
        scores = _scores(excess[:, asked])
        alone = (excess[:, asked] >= excess[0, asked] - 1e-9).mean(axis=0)
        full[:, asked] = excess[0, asked], alone, _step_down(scores), scores[0]
    return Searched(*(row.reshape(shape) for row in full))


def _seen(questions: Sequence[Question]) -> Bytes:
    """(1, N) a bit per question."""
    bits = [question.wrong.astype(np.uint8) << q for q, question in enumerate(questions)]
    return np.asarray(np.bitwise_or.reduce(bits), np.uint8)[None]


def exchanged(
    questions: Sequence[Question],
    outcome: Ints,
    patients: Ints,
    draws: int,
    rng: np.random.Generator,
) -> Iterator[Bytes]:
    """Blocks (R, N) of `draws` exchanges in all, a bit per question."""
    code = _seen(questions)[0]
    alike = _alike(outcome, patients)
    step = max(1, _BLOCK // max(1, len(code)))
    for start in range(0, draws, step):
        count = min(step, draws - start)
        out = np.repeat(code[None], count, axis=0)
        for cases, bounds in alike:
            order = np.tile(np.arange(len(cases)), (count, 1))
            moved = code[cases][rng.permuted(order, axis=1)]  # (R, P, images)
            for low, high in pairwise(bounds):
                if high - low > 1:
                    moved[..., low:high] = rng.permuted(moved[..., low:high], axis=2)
            out[:, cases.ravel()] = moved.reshape(count, -1)
        yield out


def _alike(outcome: Ints, patients: Ints) -> list[tuple[Ints, list[int]]]:
    """Patients with as many images of each outcome: (P, images) cases by outcome, and where each
    outcome begins and the last one ends."""
    kinds = int(outcome.max(initial=0)) + 1
    whose = np.unique(patients, return_inverse=True)[1]
    counts = np.zeros((int(whose.max(initial=-1)) + 1, kinds), np.int64)
    np.add.at(counts, (whose, outcome), 1)
    order = np.lexsort((outcome, whose))
    first = np.cumsum(counts.sum(axis=1)) - counts.sum(axis=1)
    found = []
    for composition in np.unique(counts, axis=0):
        members = np.flatnonzero((counts == composition).all(axis=1))
        cases = order[first[members][:, None] + np.arange(composition.sum())]
        found.append((cases, [0, *np.cumsum(composition).tolist()]))
    return found


def _weights(question: Question, slices: Bools, outcome: Ints, fewest: int) -> Weights:
    """The excess is linear in what is wrong: per outcome its cases and the weight of each in each
    slice (n, S), and an offset (S,), NaN where the slice is not asked."""
    asked = np.isin(outcome, question.outcomes)
    inside = slices[asked].sum(axis=0)
    enough = (inside >= fewest) & (asked.sum() - inside >= fewest)
    offset, parts = np.zeros(slices.shape[1]), []
    for kind in question.outcomes:
        those = outcome == kind
        mine = slices[those].astype(np.float32)
        here = mine.sum(axis=0).astype(np.float64)
        rest = len(mine) - here
        enough &= (here == 0) | (rest >= fewest)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(here > 0, here / inside, 0.0)  # of the slice's cases
            factor = np.where(here > 0, share * (1 / here + 1 / rest), 0.0)
            offset -= np.where(here > 0, share * question.wrong[those].sum() / rest, 0.0)
        parts.append((those, mine * np.nan_to_num(factor, posinf=0.0).astype(np.float32)))
    return parts, np.where(enough, offset, np.nan)


def _excess(block: Bytes, weights: Sequence[Weights]) -> Array:
    """(R, N) bits -> (R, Q·S)."""
    found = []
    for q, (parts, offset) in enumerate(weights):
        total = np.tile(offset, (len(block), 1))
        for those, weight in parts:
            total += ((block[:, those] >> q) & 1).astype(np.float32) @ weight
        found.append(total)
    return np.concatenate(found, axis=1)


def _scores(excess: Array) -> Array:
    """Each column (one slice, all exchanges) brought near a standard normal, so that small slices
    and large ones compete alike: Wilson and Hilferty's cube root with the column's own skewness
    (Kirby 1972, doi:10.1029/WR008i005p01220). Increasing, so it changes no order."""
    spread = excess.std(axis=0)
    z = (excess - excess.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0)
    # What was seen is one row among the exchanges, as exactness asks; far out it may not bend
    # the scale it is measured on.
    skew = (np.clip(z, -4, 4) ** 3).mean(axis=0)
    skew = np.where(np.abs(skew) < 1e-3, 1e-3, skew)
    return np.asarray((6 / skew) * (np.cbrt(1 + skew * z / 2) - 1) + skew / 6)


def _step_down(scores: Array) -> Array:
    """(1 + B, K) with what was seen first -> (K,) p adjusted for the search."""
    order = np.argsort(-scores[0], kind="stable")
    largest = np.maximum.accumulate(scores[:, order[::-1]], axis=1)[:, ::-1]
    p = (largest >= largest[0] - 1e-9).mean(axis=0)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted

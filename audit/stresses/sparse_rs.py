"""Sparse-RS: random search over k pixels at the extremes, the black-box reference in L0."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from audit.errors import HipauditError
from audit.results import Scalar
from audit.stresses.looking import clear_margin
from audit.stresses.pixel_candidates import (
    CLEAR,
    TIE,
    Candidates,
    described,
    image_of,
    margins,
)
from audit.stresses.pixel_queries import Search, answered
from audit.stresses.radii import at_least, positive
from audit.stresses.registry import Altered, Attackable, Batch, stress

Places = npt.NDArray[np.int64]
# (until this iteration of 10,000, share of `alpha`): the schedule of the paper for L0
SCHEDULE = ((0, 1), (50, 2), (200, 4), (500, 5), (1000, 6), (2000, 8), (4000, 10), (6000, 12))
SCHEDULE_END = ((8000, 15), (10_000, 20))


@dataclass(frozen=True, slots=True)
class Found:
    """The best candidate (one), whether it is a hit, after how many queries."""

    best: Candidates
    hit: bool
    queries: int


@dataclass(frozen=True, slots=True)
class _Step:
    """The draws of one iteration, made before it is known what they will be applied to."""

    leaving: Places  # (n,) which of the k
    entering: Places  # (n,) ranks among the places that are free
    levels: npt.NDArray[np.int64]  # (n, C) 0 or 255


@stress(
    "sparse_rs",
    kind="attack",
    norm="l0",
    budget=lambda _, variant: float(variant["pixels"]),
    cost=lambda p: float(len(counts(p["pixels"])) * p["queries"]),
    check=lambda p: _check(p),
)
def sparse_rs(
    model: Attackable,
    batch: Batch,
    *,
    pixels: int | Sequence[int] = (1, 5, 20),
    queries: int = 2000,
    alpha: float = 0.3,
    block: int = 32,
) -> Iterator[Altered]:
    """For each k of `pixels`: replace k pixels by black or white, at most `queries` looks.

    Begins with k random places, each channel 0 or 1. Every iteration moves max(⌊α·k⌋, 1) of
    them to free places with new extremes, and keeps that when the margin of the true class
    falls. α starts at `alpha` and falls in the steps of the paper, stretched to `queries`.
    Ends for an image at its first clear success. Black-box: sees scores only.

    An image fooled with fewer pixels is within the budget of more: it is handed over again and
    not searched. `queries` of a level count those of the levels below. With one pixel, up to
    `block` iterations share a forward pass, as what they look at hardly depends on each other;
    with more, iterations of several images do. No result depends on that.
    `found`: x, y, value of each pixel as in `one_pixel`. Raises StressFailed when the model is
    not finite. Source: Croce et al. 2022, arXiv:2006.12834 (the untargeted L0 version).
    """
    levels = counts(pixels)
    if levels[-1] >= batch.x.shape[-1] * batch.x.shape[-2]:
        size = f"{levels[-1]} for images of {batch.x.shape[-1]} × {batch.x.shape[-2]}"
        raise HipauditError("fewer pixels than the image has", size)
    found: dict[int, Found] = {}
    spent = np.zeros(len(batch.x), dtype=int)
    for k in levels:
        left = [row for row in range(len(batch.x)) if row not in found or not found[row].hit]
        ahead = block if k == 1 else 1
        searches: list[Search[Found]] = [
            _search(
                batch.x[row].shape,
                int(batch.y[row]),
                k,
                queries,
                alpha,
                batch.rngs[row],
                ahead,
                clear_margin(model, CLEAR),
            )
            for row in left
        ]
        if left:
            images = batch.x[left]
            for row, one in zip(
                left, answered("sparse_rs", model, images, searches, block=ahead), strict=True
            ):
                found[row] = one
                spent[row] += one.queries
        yield _handed_over(k, batch, found, spent.tolist())


def _check(p: Mapping[str, Any]) -> None:
    counts(p["pixels"])
    at_least(1, queries=p["queries"], block=p["block"])
    positive(alpha=p["alpha"])


def counts(pixels: int | Sequence[int]) -> list[int]:
    """One number of pixels or several, each once, ascending. Raises HipauditError."""
    several = [pixels] if isinstance(pixels, int | float) else list(pixels)
    if not several:
        raise HipauditError("`pixels` to name at least one number", "none")
    for each in several:
        at_least(1, pixels=each)
    return sorted(set(several))


def moved(iteration: int, queries: int, pixels: int, alpha: float) -> int:
    """How many pixels are moved in `iteration` (1 is the first after the start)."""
    scaled = int(iteration / queries * 10_000)
    part = next((d for until, d in SCHEDULE + SCHEDULE_END if scaled <= until), 20)
    return min(pixels, max(int(alpha / part * pixels), 1))


def _search(
    shape: torch.Size,
    target: int,
    k: int,
    queries: int,
    alpha: float,
    rng: np.random.Generator,
    ahead: int,
    clear: float,
) -> Search[Found]:
    """Random search; draws are made in the order of the iterations, whatever `ahead` is."""
    channels, total = shape[0], shape[1] * shape[2]
    now = Candidates(
        rng.choice(total, k, replace=False)[None].astype(np.int64),
        255 * rng.integers(0, 2, (1, k, channels)),
    )
    best = float(margins((yield now), target)[0])
    spent = drawn = 1
    steps: deque[_Step] = deque()
    while spent < queries and not best < -clear:
        while len(steps) < ahead and drawn < queries:
            steps.append(_step(rng, moved(drawn, queries, k, alpha), k, channels, total))
            drawn += 1
        trials = [_applied(now, step, total) for step in steps]
        scores = margins((yield _stacked(trials)), target)
        asked_about = now
        for trial, score in zip(trials, scores, strict=True):
            if now is not asked_about and not _same(trial, _applied(now, steps[0], total)):
                break  # a move before it changed what this iteration looks at
            steps.popleft()
            spent += 1
            if score < best - TIE:
                now, best = trial, float(score)
            if best < -clear:
                break
    return Found(now, best < -clear, spent)


def _step(rng: np.random.Generator, n: int, k: int, channels: int, total: int) -> _Step:
    return _Step(
        rng.choice(k, n, replace=False),
        rng.choice(total - k, n, replace=False),
        255 * rng.integers(0, 2, (n, channels)),
    )


def _applied(now: Candidates, step: _Step, total: int) -> Candidates:
    places, levels = now.places.copy(), now.levels.copy()
    places[0, step.leaving] = free(step.entering, now.places[0], total)
    levels[0, step.leaving] = step.levels
    return Candidates(places, levels)


def free(ranks: Places, taken: Places, total: int) -> Places:
    """Ranks in [0, total − k) -> places in [0, total) that are not among the k `taken`.

    One to one; a rank whose place is free is that place, so that few depend on `taken`.
    """
    head = total - len(taken)
    occupied = set(taken.tolist())
    spare = [place for place in range(head, total) if place not in occupied]
    instead = dict(zip(sorted(p for p in occupied if p < head), spare, strict=True))
    return np.array([instead.get(rank, rank) for rank in ranks.tolist()], dtype=np.int64)


def _same(one: Candidates, other: Candidates) -> bool:
    return np.array_equal(one.places, other.places) and np.array_equal(one.levels, other.levels)


def _stacked(several: Sequence[Candidates]) -> Candidates:
    return Candidates(
        np.concatenate([one.places for one in several]),
        np.concatenate([one.levels for one in several]),
    )


def _handed_over(k: int, batch: Batch, found: dict[int, Found], spent: list[int]) -> Altered:
    rows = range(len(batch.x))
    told: list[dict[str, Scalar]] = [
        described(found[row].best, batch.x.shape[-1]) | {"fooled_in_search": found[row].hit}
        for row in rows
    ]
    images = torch.stack([image_of(batch.x[row], found[row].best) for row in rows])
    return Altered({"pixels": k}, images, None, told, spent)

"""Answers the searches of several images: few forwards, whole batches, nothing asked twice.

A search is a generator: it yields Candidates, is sent their decision logits (M, K) float64, and
returns what it found. No search sees another, so what it finds depends neither on who else is
searched nor on how many candidates share a forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from audit.errors import StressFailed
from audit.speed.memory import Room
from audit.speed.pixels import PixelScorer, pixel_scorer, with_pixels
from audit.stresses.pixel_candidates import Candidates, Floats
from audit.stresses.registry import Attackable

T = TypeVar("T")
Search = Generator[Candidates, Floats, T]
# A search that asks for this many at a time has its image's own scorer, which may use that
# only few activations change; smaller requests of several images share a batch.
OWN = 16
TOGETHER = {"cpu": 32, "cuda": 256}
# On a CPU more images at a time only push each other out of the cache: with eight of 224 × 224
# SqueezeNet was a sixth faster than with 32, ResNet50 as fast.
CACHED = 8 * 224 * 224


def answered(
    name: str, model: Attackable, images: Tensor, searches: Sequence[Search[T]], *, block: int
) -> list[T]:
    """What each search returns; `searches[i]` alters `images[i]`, (N, C, H, W) in [0, 1].

    `block`: how many candidates one search asks for at a time at most. Raises StressFailed,
    in the name of the stress, when a logit is not finite.
    """
    device = getattr(model, "device", images.device)
    most = TOGETHER.get(device.type, TOGETHER["cpu"])
    if device.type == "cpu":
        most = min(most, CACHED // (images.shape[-2] * images.shape[-1]))
    room = Room(most)
    own = block >= OWN and device.type == "cpu"
    found: dict[int, T] = {}
    desks: dict[int, _Desk] = {}
    asked: dict[int, Candidates] = {}

    def go_on(case: int, step: Callable[[], Candidates]) -> None:
        try:
            asked[case] = step()
        except StopIteration as end:
            found[case] = end.value
            asked.pop(case, None)
            desks.pop(case, None)  # with it goes what is remembered of the image

    waiting = iter(range(len(searches)))
    score = _together(model, images.to(device))
    while True:
        while sum(map(len, asked.values())) < room.most:
            case = next(waiting, None)
            if case is None:
                break
            desks[case] = _Desk(pixel_scorer(model, images[case]) if own else None)
            go_on(case, searches[case].__next__)
        if not asked:
            return [found[case] for case in range(len(searches))]
        fresh = {case: desks[case].unknown(some) for case, some in asked.items()}
        logits = _scored(desks, images.shape[-1], fresh, score, room)
        for case, some in list(asked.items()):
            answer = desks[case].learn(some, fresh[case], logits[case])
            if not np.isfinite(answer).all():
                raise StressFailed(f"{name}: the model gave a logit that is not finite")
            go_on(case, lambda search=searches[case], answer=answer: search.send(answer))  # type: ignore[misc]


class _Desk:
    """One image: its own scorer if it has one, and the answers so far."""

    def __init__(self, scorer: PixelScorer | None) -> None:
        self.scorer = scorer
        self.known: dict[bytes, Floats] = {}

    def unknown(self, some: Candidates) -> Candidates:
        """Those never asked before, each once."""
        first: dict[bytes, int] = {}
        for index, key in enumerate(some.keys()):
            if key not in self.known:
                first.setdefault(key, index)
        return some.part(np.fromiter(first.values(), dtype=np.int64, count=len(first)))

    def learn(self, some: Candidates, fresh: Candidates, logits: Floats) -> Floats:
        """Logits of all `some`, given those of the fresh among them."""
        self.known |= dict(zip(fresh.keys(), logits, strict=True))
        return np.stack([self.known[key] for key in some.keys()])  # noqa: SIM118 not a mapping


Score = Callable[[Sequence[int], Candidates], Floats]


def _scored(
    desks: dict[int, _Desk], width: int, fresh: dict[int, Candidates], score: Score, room: Room
) -> dict[int, Floats]:
    """Logits by case: from an image's own scorer, or many images in one batch.

    Where memory does not suffice, in halves of that: no answer depends on its company.
    """
    done: dict[int, Floats] = {}
    owners: list[int] = []
    for case, some in fresh.items():
        scorer = desks[case].scorer
        if scorer is not None and len(some):
            done[case] = _by_its_own(scorer, some, width)
        else:
            owners += [case] * len(some)
    rest = [fresh[case] for case in fresh if case not in done]
    if owners:
        places = np.concatenate([some.places for some in rest])
        levels = np.concatenate([some.levels for some in rest])
        parts = room.parts(
            lambda part: score(owners[part], Candidates(places[part], levels[part])), len(owners)
        )
        everything, taken = np.concatenate(parts), np.array(owners)
        done |= {case: everything[taken == case] for case in set(owners)}
    nothing = np.zeros((0, 0))
    return {case: done.get(case, nothing) for case in fresh}


def _by_its_own(scorer: PixelScorer, some: Candidates, width: int) -> Floats:
    rows, columns = some.rows_and_columns(width)
    values = some.values()
    parts = Room(len(some)).parts(lambda p: scorer(rows[p], columns[p], values[p]), len(some))
    return np.asarray(torch.cat(parts).double().numpy())


def _together(model: Attackable, images: Tensor) -> Score:
    """A scorer of candidates of several images, in one buffer that is written over each time."""
    buffer = images[:0]

    def score(owners: Sequence[int], some: Candidates) -> Floats:
        nonlocal buffer
        if len(buffer) < len(owners):
            buffer = images.new_empty(len(owners), *images.shape[1:])
        batch = buffer[: len(owners)]
        torch.index_select(images, 0, torch.tensor(owners, device=images.device), out=batch)
        rows, columns = some.rows_and_columns(images.shape[-1])
        with_pixels(batch, rows.to(images.device), columns.to(images.device), some.values())
        with torch.no_grad():
            logits = model.decision_logits(batch)
        return np.asarray(logits.double().cpu().numpy())

    return score

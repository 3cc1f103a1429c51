"""One shard of one run: prepare, stress, check the contract, predict, re-verify."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audit.cases.case import Case, Pixels
from audit.classifier import Classifier, Output, prepare_pixels
from audit.draws import generator
from audit.errors import StressFailed
from audit.evidence import Rows
from audit.ledger import Flags, Ledger
from audit.speed.memory import Room
from audit.speed.prepared import Kept
from audit.speed.search import doubtful
from audit.stresses.candidates import up_to_the_first
from audit.stresses.contract import check_altered
from audit.stresses.registry import Altered, Batch, Stress

ON_GRID = 1e-6  # an image this near to its 8-bit self is that, but for the rounding of a float
NATIVE_ROOM = 2**28  # bytes of float32 pixels
Say = Callable[[str], None]


@dataclass(frozen=True)
class Sight:
    """Who sees what in one run.

    `judge`: the audited classifier under the run's defence, untouched: its word is recorded.
    `maker`: what the stress is shown: the judge's search network, or a surrogate.
    `screen`: the judge's search network. Of a search's many candidates only those that fool it
    by its own word, or whose margin is within `tolerance`, go before the judge.
    """

    judge: Classifier
    maker: Classifier
    screen: Classifier
    tolerance: float = 0.0

    @classmethod
    def alone(cls, classifier: Classifier) -> Sight:
        """Everything on the untouched classifier."""
        return cls(classifier, classifier, classifier)


def clean_rows(classifier: Classifier, cases: Sequence[Case], batch_size: int, say: Say) -> Rows:
    """A row per case without any stress."""
    ledger = Ledger(len(classifier.classes))
    for index, x in _batches(classifier, cases, range(len(cases)), batch_size):
        ledger.enter(index, predict_in_parts(classifier, x, batch_size, say))
    return ledger.rows()


def stressed_rows(
    stress: Stress,
    params: Mapping[str, Any],
    sight: Sight,
    cases: Sequence[Case],
    attacked: Sequence[bool],
    *,
    seed: int,
    batch_size: int,
    say: Say,
    natives: Kept | None = None,
) -> Rows:
    """Rows of every variant, for the cases marked in `attacked`.

    `natives`: images as acquired, kept between runs. Raises StressFailed when the stress breaks
    its contract.
    """
    judge = sight.judge
    ledger = Ledger(len(judge.classes))
    chosen = [index for index, keep in enumerate(attacked) if keep]
    if stress.domain == "acquisition":
        batch_size = min(batch_size, _native_batch(cases))
    room = Room(batch_size, say)
    for index, x in _batches(judge, cases, chosen, batch_size):
        members = [cases[i] for i in index]

        def attempt(part: slice, index=index, x=x, members=members) -> Ledger:  # type: ignore[no-untyped-def]
            trial = Ledger(len(judge.classes))
            ids = index[part]
            few = members[part]
            native = _natives(few, natives) if stress.domain == "acquisition" else []
            _stress_batch(stress, params, sight, few, native, ids, x[part], seed, room.most, trial)
            return trial

        for trial in room.parts(attempt, len(index)):
            ledger.absorb(trial)
    return ledger.rows()


def _native_batch(cases: Sequence[Case]) -> int:
    """How many images as acquired, and as many altered ones, fit a fixed share of memory."""
    largest = max((math.prod(case.shape) for case in cases), default=1)
    return max(1, NATIVE_ROOM // (4 * max(1, largest)))


def _natives(members: Sequence[Case], kept: Kept | None) -> list[Pixels]:
    """Pixels as acquired, the caller's to write into. Decoding takes longer than many a stress."""
    if kept is None:
        return [case.load() for case in members]
    return [image.numpy().copy() for image in kept.all(members, torch.tensor)]


def _stress_batch(
    stress: Stress,
    params: Mapping[str, Any],
    sight: Sight,
    members: Sequence[Case],
    native: Sequence[Pixels],
    index: Sequence[int],
    x: Tensor,
    seed: int,
    room: int,
    ledger: Ledger,
) -> None:
    judge = sight.judge
    y = judge.targets(members)
    purpose = f"stress:{stress.name}"
    rngs = [generator(seed, case.id, purpose) for case in members]
    batch = Batch(x.clone(), y, rngs, native, room=room)
    search = stress.variants == "search"
    for altered in stress.perturb(sight.maker, batch, **params):
        rows = list(range(len(members))) if altered.rows is None else [int(r) for r in altered.rows]
        if not rows:
            continue
        images = _prepared(stress, altered, judge)
        check_altered(stress, params, altered, images, x if altered.rows is None else x[rows])
        output = _screened(sight, images, y[rows]) if search else judge.predict(images)
        wrong = judge.decide(output.logits) != y[rows].numpy()
        counted = up_to_the_first(rows, wrong) if search else rows
        if len(counted) < len(rows):
            rows = [rows[place] for place in counted]
            altered, output = altered.only(counted), output.only(counted)
            images, wrong = images[counted], wrong[counted]
        flags = _flags(judge, images, y[rows], wrong) if stress.kind == "attack" else None
        places = [index[row] for row in rows]
        ledger.enter(places, output, altered.each, flags, altered.queries, altered.found)
        if search:
            batch.open[np.array(rows)[wrong]] = False


def _screened(sight: Sight, images: Tensor, y: Tensor) -> Output:
    """The search network's word, except where it says wrong or nearly so: there the judge's.

    A candidate that fools nobody keeps the search network's logits: they differ from the judge's
    by less than the tolerance and decide alike.
    """
    if sight.screen is sight.judge:
        return sight.judge.predict(images)
    said = sight.screen.predict(images)
    wrong = sight.judge.decide(said.logits) != y.numpy()
    asked = np.flatnonzero(wrong | doubtful(sight.judge, said.logits, sight.tolerance))
    if not len(asked):
        return said
    where = torch.from_numpy(asked)
    sure = sight.judge.predict(images[where])
    said.logits[where] = sure.logits
    said.referred[where] = sure.referred
    return said


def _flags(classifier: Classifier, images: Tensor, y: Tensor, wrong: np.ndarray) -> Flags:
    """(fooled on the untouched float32 model, fooled again after rounding to 8 bits)."""
    eight = wrong.astype(np.int8)
    where = np.flatnonzero(wrong)
    fooling = images[where]
    rounded = (fooling * 255).round_().div_(255)
    moved = (rounded - fooling).abs_().flatten(1).amax(1).numpy() > ON_GRID
    where = where[moved]
    if len(where):
        again = classifier.decide(classifier.predict(rounded[moved]).logits)
        eight[where] = again != y[where].numpy()
    return wrong.astype(np.int8), eight


def _prepared(stress: Stress, altered: Altered, classifier: Classifier) -> Tensor:
    if isinstance(altered.images, Tensor):
        return altered.images.detach().cpu()
    if stress.domain != "acquisition":
        raise StressFailed(f"{stress.name} gave native images but works on prepared input")
    return torch.stack([prepare_pixels(p, classifier.preparation) for p in altered.images])


def _batches(
    classifier: Classifier, cases: Sequence[Case], chosen: Sequence[int], batch_size: int
) -> Iterator[tuple[list[int], Tensor]]:
    """Indices and prepared input, grey and colour never mixed; at most one batch in memory."""
    waiting: dict[int, list[tuple[int, Tensor]]] = defaultdict(list)
    for start in range(0, len(chosen), batch_size):
        some = chosen[start : start + batch_size]
        for index, x in zip(some, classifier.prepare_all([cases[i] for i in some]), strict=True):
            group = waiting[x.shape[0]]
            group.append((index, x))
            if len(group) == batch_size:
                yield [i for i, _ in group], torch.stack([t for _, t in group])
                group.clear()
    for group in waiting.values():
        if group:
            yield [i for i, _ in group], torch.stack([t for _, t in group])


def predict_in_parts(classifier: Classifier, x: Tensor, batch_size: int, say: Say) -> Output:
    """Predict at most `batch_size` at a time, halving on lack of memory."""
    parts = Room(batch_size, say).parts(lambda part: classifier.predict(x[part]), len(x))
    return Output(torch.cat([p.logits for p in parts]), torch.cat([p.referred for p in parts]))

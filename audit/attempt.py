"""One shard of one run: prepare, stress, check the contract, predict, re-verify."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from audit.cases.case import Case
from audit.classifier import Classifier, Output, prepare_pixels
from audit.draws import generator
from audit.errors import StressFailed
from audit.evidence import Rows
from audit.results import Scalar
from audit.stresses.contract import check_altered
from audit.stresses.registry import Altered, Batch, Stress

Say = Callable[[str], None]
T = TypeVar("T")


@dataclass
class _Ledger:
    """Rows as they come in; turned into arrays once."""

    width: int
    case: list[int] = field(default_factory=list)
    variant: list[int] = field(default_factory=list)
    logits: list[np.ndarray] = field(default_factory=list)
    referred: list[bool] = field(default_factory=list)
    success: list[int] = field(default_factory=list)
    success_8bit: list[int] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)
    found: list[Mapping[str, Scalar]] = field(default_factory=list)
    variants: dict[tuple[tuple[str, Scalar], ...], int] = field(default_factory=dict)

    def rows(self) -> Rows:
        logits = np.stack(self.logits) if self.logits else np.zeros((0, self.width), np.float32)
        return Rows(
            case=np.array(self.case, dtype=np.int64),
            variant=np.array(self.variant, dtype=np.int64),
            logits=logits.astype(np.float32),
            referred=np.array(self.referred, dtype=np.bool_),
            success=np.array(self.success, dtype=np.int8),
            success_8bit=np.array(self.success_8bit, dtype=np.int8),
            queries=np.array(self.queries, dtype=np.int64),
            variants=tuple(dict(key) for key in self.variants),
            found=tuple(self.found),
        )


def clean_rows(classifier: Classifier, cases: Sequence[Case], batch_size: int, say: Say) -> Rows:
    """A row per case without any stress."""
    ledger = _Ledger(len(classifier.classes))
    for index, x in _batches(classifier, cases, range(len(cases)), batch_size):
        output = predict_in_parts(classifier, x, batch_size, say)
        for row, case in enumerate(index):
            _enter(ledger, case, {}, output, row, (-1, -1), -1, {})
    return ledger.rows()


def stressed_rows(
    stress: Stress,
    params: Mapping[str, Any],
    classifier: Classifier,
    cases: Sequence[Case],
    attacked: Sequence[bool],
    *,
    seed: int,
    batch_size: int,
    say: Say,
) -> Rows:
    """Rows of every variant, for the cases marked in `attacked`.

    Raises StressFailed when the stress breaks its contract.
    """
    ledger = _Ledger(len(classifier.classes))
    chosen = [index for index, keep in enumerate(attacked) if keep]
    for index, x in _batches(classifier, cases, chosen, batch_size):
        members = [cases[i] for i in index]

        def attempt(part: slice, index=index, x=x, members=members) -> _Ledger:  # type: ignore[no-untyped-def]
            trial = _Ledger(len(classifier.classes))
            ids = index[part]
            _stress_batch(stress, params, classifier, members[part], ids, x[part], seed, trial)
            return trial

        for trial in _shrinking(attempt, len(index), say):
            _append(ledger, trial)
    return ledger.rows()


def _stress_batch(
    stress: Stress,
    params: Mapping[str, Any],
    classifier: Classifier,
    members: Sequence[Case],
    index: Sequence[int],
    x: Tensor,
    seed: int,
    ledger: _Ledger,
) -> None:
    y = classifier.targets(members)
    purpose = f"stress:{stress.name}"
    rngs = [generator(seed, case.id, purpose) for case in members]
    native = [case.load() for case in members] if stress.domain == "acquisition" else ()
    batch = Batch(x.clone(), y, rngs, native)
    is_attack = stress.kind == "attack"
    for altered in stress.perturb(classifier, batch, **params):
        rows = list(range(len(members))) if altered.rows is None else [int(r) for r in altered.rows]
        if not rows:
            continue
        images = _prepared(stress, altered, classifier)
        check_altered(stress, params, altered, images, x[rows])
        output = classifier.predict(images)
        wrong = classifier.decide(output.logits) != y[rows].numpy()
        flags = _flags(classifier, images, y[rows], wrong) if is_attack else [(-1, -1)] * len(rows)
        for place, row in enumerate(rows):
            spent = -1 if altered.queries is None else int(altered.queries[place])
            found = altered.found[place] if altered.found else {}
            _enter(ledger, index[row], altered.variant, output, place, flags[place], spent, found)
        if stress.variants == "search":
            batch.open[np.array(rows)[wrong]] = False


def _flags(
    classifier: Classifier, images: Tensor, y: Tensor, wrong: np.ndarray
) -> list[tuple[int, int]]:
    """(fooled on the untouched float32 model, fooled again after rounding to 8 bits)."""
    eight = np.zeros(len(wrong), dtype=bool)
    if wrong.any():
        where = np.flatnonzero(wrong)
        rounded = (images[where] * 255).round() / 255
        again = classifier.decide(classifier.predict(rounded).logits)
        eight[where] = again != y[where].numpy()
    return [(int(a), int(b)) for a, b in zip(wrong, eight, strict=True)]


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
    for index in chosen:
        x = classifier.prepare(cases[index])
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
    parts: list[Output] = []
    for start in range(0, len(x), batch_size):
        piece = x[start : start + batch_size]
        parts += _shrinking(lambda s, p=piece: classifier.predict(p[s]), len(piece), say)  # type: ignore[misc]
    return Output(torch.cat([p.logits for p in parts]), torch.cat([p.referred for p in parts]))


def _shrinking(work: Callable[[slice], T], size: int, say: Say) -> list[T]:
    """`work` on the whole slice, or on halves of it while memory does not suffice, down to 1."""
    step = size
    done: list[T] = []
    start = 0
    while start < size:
        try:
            done.append(work(slice(start, min(size, start + step))))
        except (MemoryError, RuntimeError) as error:
            if step == 1 or not _lacks_memory(error):
                raise
            step = max(1, step // 2)
            say(f"not enough memory: batch reduced to {step}")
            continue
        start += step
    return done


def _lacks_memory(error: BaseException) -> bool:
    text = str(error)
    known = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(words in text for words in known)


def _enter(
    ledger: _Ledger,
    case: int,
    variant: Mapping[str, Scalar],
    output: Output,
    row: int,
    flags: tuple[int, int],
    queries: int,
    found: Mapping[str, Scalar],
) -> None:
    ledger.case.append(case)
    key = tuple(variant.items())
    ledger.variant.append(ledger.variants.setdefault(key, len(ledger.variants)))
    ledger.logits.append(output.logits[row].numpy())
    ledger.referred.append(bool(output.referred[row]))
    ledger.success.append(flags[0])
    ledger.success_8bit.append(flags[1])
    ledger.queries.append(queries)
    ledger.found.append(found)


def _append(ledger: _Ledger, trial: _Ledger) -> None:
    keys = list(trial.variants)
    ledger.variant += [
        ledger.variants.setdefault(keys[v], len(ledger.variants)) for v in trial.variant
    ]
    for name in ("case", "logits", "referred", "success", "success_8bit", "queries", "found"):
        getattr(ledger, name).extend(getattr(trial, name))

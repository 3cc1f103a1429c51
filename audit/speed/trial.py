"""A short trial before an audit: how long a look takes here, how many at a time, what searches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audit.cases.case import Cases
from audit.classifier import Classifier, prepare_pixels
from audit.errors import HipauditError, did_you_mean
from audit.folder import remember
from audit.options import AuditOptions
from audit.plan import Run
from audit.speed.batch_size import batch_size
from audit.speed.search import HOW, Search, search_with
from audit.stresses.registry import get_stress

FEW = 8  # images of the trial
GAIN = 1.1  # a trial that gains less than this is not worth another network
COMPILING = 60.0  # seconds a CPU takes; worth it where twenty times that lies ahead
WORTH = 20


@dataclass(frozen=True)
class Trial:
    """Seconds per image of a forward (`forward`), of one by the search network (`look`), of a
    gradient through it (`gradient`), and of reading a case (`reading`)."""

    search: Search
    batch_size: int
    forward: float
    look: float
    gradient: float
    reading: float

    @classmethod
    def of(cls, classifier: Classifier, cases: Cases, options: AuditOptions) -> Trial:
        """Tries a few real cases. Raises HipauditError for a kind of search nobody knows."""
        if options.search not in (*HOW, "auto"):
            raise HipauditError(
                "a kind of search network",
                f'"{options.search}"',
                did_you_mean(options.search, [*HOW, "auto"]),
            )
        start = time.perf_counter()
        several = [cases[i] for i in range(min(len(cases), FEW))]
        prepared = [prepare_pixels(case.load(), classifier.preparation) for case in several]
        reading = (time.perf_counter() - start) / len(several)
        x = _alike(prepared)
        size = options.batch_size or batch_size(classifier, x[:1])
        how = "fused" if options.search == "auto" else options.search
        trial = cls(search_with(classifier, x, how), size, 0.0, 0.0, 0.0, reading)
        with classifier.uncounted():
            return trial._timed(classifier, x[:size])

    def settled(
        self,
        classifier: Classifier,
        cases: Cases,
        seconds: float,
        options: AuditOptions,
        folder: Path,
        started: dict[str, Any],
    ) -> Trial:
        """With its search network settled: the one asked for, or for "auto" the fastest.

        A timing decides then, so the choice is written down before the first unit and the same
        when the audit is resumed.
        """
        if options.search != "auto":
            return self
        x = _alike([classifier.prepare(cases[i]) for i in range(min(len(cases), self.batch_size))])
        if "search" not in started:
            remember(folder, started, search=fastest(classifier, x, self.search, seconds))
        return replace(self, search=search_with(classifier, x, started["search"]))

    def _timed(self, classifier: Classifier, x: Tensor) -> Trial:
        quick = self.search.classifier
        gradient = 0.0
        if classifier.has_gradients:
            gradient = seconds_of(lambda: _gradient(quick, x)) / len(x)
        return replace(
            self,
            forward=seconds_of(lambda: classifier.predict(x)) / len(x),
            look=seconds_of(lambda: quick.predict(x)) / len(x),
            gradient=gradient,
        )

    def seconds(self, runs: Sequence[Run]) -> float:
        """What the plan should take at most: attacks that succeed early take less."""
        return sum(self._run(run) for run in runs if run.planned.state == "planned")

    def _run(self, run: Run) -> float:
        reads = self.reading * len(run.cases)
        if run.planned.kind != "attack":
            levels = run.cost if run.planned.kind == "corruption" else 0
            return run.forwards * self.forward + reads * (1 + levels)
        each = self.gradient / 3 if get_stress(run.planned.stress).needs_gradients else self.look
        return run.forwards * each + reads


def _alike(images: Sequence[Tensor]) -> Tensor:
    """Those of the first one's shape, as a batch: grey and colour do not mix."""
    return torch.stack([one for one in images if one.shape == images[0].shape])


def fastest(classifier: Classifier, x: Tensor, known: Search, seconds: float) -> str:
    """The kind of search network to use: bf16 and compilation are tried on x, the batch size.

    They must gain a tenth; compilation only where at least twenty times its cost lies ahead.
    Where the hardware has no bfloat16 it takes ten times as long: one image tells.
    """
    best, best_seconds = known.how, _look(known.classifier, x)
    for how in ("bf16", "compiled") if seconds > WORTH * COMPILING else ("bf16",):
        other = search_with(classifier, x[:FEW], how)
        if other.how != how:
            continue
        if how == "bf16" and _look(other.classifier, x[:1]) > 2 * _look(known.classifier, x[:1]):
            continue
        took = _look(other.classifier, x)
        if took * GAIN < best_seconds:
            best, best_seconds = how, took
    return best


def _look(classifier: Classifier, x: Tensor) -> float:
    """Seconds of a forward, and of one with its gradient where there are any."""
    took = seconds_of(partial(classifier.predict, x))
    return took + (seconds_of(partial(_gradient, classifier, x)) if classifier.has_gradients else 0)


def seconds_of(work: Callable[[], object], times: int = 2) -> float:
    """The shortest of a few, after one to warm up."""
    work()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def _gradient(classifier: Classifier, x: Tensor) -> Tensor:
    given = x.clone().requires_grad_(True)
    (found,) = torch.autograd.grad(classifier.decision_logits(given).sum(), given)
    return found

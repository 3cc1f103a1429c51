"""How long an audit is inside the network, told from all else it does.

Wall time between entering the outermost module of the network (the untouched one, the search one,
or a part of it) and leaving it, and of every backward pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from audit.classifier import Classifier
from audit.engine import Quiet
from audit.speed.local_run import LocalImage

BEFORE, RUNS, PROBES = "before the first run", "attacks, corruptions, defences", "probes"
FINDINGS = "findings, files"


@dataclass
class Inside:
    """Seconds and images inside the network. `depth` > 0 while inside."""

    forward: float = 0.0
    backward: float = 0.0
    looks: int = 0
    gradients: int = 0
    calls: int = 0
    depth: int = 0
    since: float = 0.0
    doors: dict[int, nn.Module] = field(default_factory=dict)  # kept, or others get their ids

    @property
    def seconds(self) -> float:
        return self.forward + self.backward

    def enter(self, module: nn.Module, given: tuple[object, ...]) -> None:
        if id(module) not in self.doors:
            return
        self.depth += 1
        if self.depth > 1:
            return
        if given and isinstance(given[0], Tensor):
            self.calls += 1
            self.looks += len(given[0])
            if given[0].requires_grad and torch.is_grad_enabled():
                self.gradients += len(given[0])
        self.since = time.perf_counter()

    def leave(self, module: nn.Module, _given: object, _output: object) -> None:
        if id(module) not in self.doors:
            return
        self.depth -= 1
        if self.depth == 0:
            self.forward += time.perf_counter() - self.since


@contextmanager
def watched(classifier: Classifier) -> Iterator[Inside]:
    """Times every stay inside a network of this classifier or of one made from it."""
    inside = Inside()
    _admit(inside, classifier.module)
    through, make = Classifier.through, Classifier.__init__

    def admitting(self: Classifier, module: nn.Module) -> Classifier:
        _admit(inside, module)
        return through(self, module)

    def making(self: Classifier, module: nn.Module, *given: Any, **named: Any) -> None:
        _admit(inside, module)  # a copy with randomised weights, to hold heat maps against
        make(self, module, *given, **named)

    hooks = [
        register_module_forward_pre_hook(inside.enter),
        register_module_forward_hook(inside.leave, always_call=True),
    ]
    Classifier.through = admitting  # type: ignore[method-assign]
    Classifier.__init__ = making  # type: ignore[method-assign]
    try:
        with _timed_backwards(inside), _timed_local(inside):
            yield inside
    finally:
        Classifier.through = through  # type: ignore[method-assign]
        Classifier.__init__ = make  # type: ignore[method-assign]
        for hook in hooks:
            hook.remove()


def _admit(inside: Inside, network: nn.Module) -> None:
    """Every part of it too: a local update calls the parts and not the whole."""
    inside.doors |= {id(part): part for part in network.modules()}


@contextmanager
def _timed_local(inside: Inside) -> Iterator[None]:
    """What a local update computes of the network, mostly not by calling its modules."""
    before = LocalImage.logits

    def timed(self: LocalImage, *given: Tensor) -> Tensor:
        inside.depth += 1
        start = time.perf_counter()
        try:
            return before(self, *given)
        finally:
            inside.depth -= 1
            if inside.depth == 0:
                inside.forward += time.perf_counter() - start

    LocalImage.logits = timed  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        LocalImage.logits = before  # type: ignore[method-assign]


@contextmanager
def _timed_backwards(inside: Inside) -> Iterator[None]:
    """Both of autograd's doors; Tensor.backward goes through the first."""
    before = torch.autograd.backward, torch.autograd.grad

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                inside.backward += time.perf_counter() - start

        return run

    torch.autograd.backward, torch.autograd.grad = (timed(work) for work in before)
    try:
        yield
    finally:
        torch.autograd.backward, torch.autograd.grad = before


class Stages(Quiet):
    """Seconds, and seconds inside the network, of each part of an audit, by what it tells."""

    def __init__(self, inside: Inside) -> None:
        self._inside, self._part = inside, BEFORE
        self._spent: dict[str, dict[str, float]] = {}
        self._since = self._now()

    def plan(self, *_: object) -> None:
        self._turn(RUNS)

    def run(self, run_id: str, done: int, total: int) -> None:
        if run_id.startswith("probe "):  # told at its start and at its end
            self._turn(FINDINGS if self._part == PROBES else PROBES)
        else:
            self._turn(FINDINGS if done == total else RUNS)

    def ended(self) -> dict[str, dict[str, float]]:
        """Part -> what it took, in the order of their beginnings; together the whole audit."""
        self._turn("")
        return self._spent

    def _now(self) -> dict[str, float]:
        return {"seconds": time.perf_counter(), "inside the network": self._inside.seconds}

    def _turn(self, part: str) -> None:
        """What went by since the last word was the part before."""
        now = self._now()
        spent = self._spent.setdefault(self._part, dict.fromkeys(now, 0.0))
        for clock, before in self._since.items():
            spent[clock] += now[clock] - before
        self._part, self._since = part, now

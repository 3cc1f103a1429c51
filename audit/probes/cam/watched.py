"""Seeing the activation of one layer as what follows it sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from audit.classifier import Classifier

RELU = (F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)


class NoMap(Exception):
    """The layer gives nothing that a map can be made of."""


class Watched(nn.Module):
    """The classifier as a module in which the wanted activation passes through `seen`.

    What follows gets a copy, so that an in-place operation after the layer (VGG's, AlexNet's
    and DenseNet's ReLUs) cannot overwrite what was seen.
    """

    def __init__(self, classifier: Classifier, layer: str) -> None:
        super().__init__()
        self.module = classifier.module  # pytorch-grad-cam asks for the parameters' device
        self.name = layer
        self.layer = [classifier.module.get_submodule(self.name)]  # not registered twice
        self.ask = classifier.logits
        self.seen = nn.Identity()
        self.through_relu: bool | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.through_relu is None:
            self.through_relu = self._feeds_a_relu(x)
        if not self.through_relu:
            with _hooked(self.layer[0], lambda output: self.seen(output).clone()):
                return self.ask(x)
        catcher = _Relu(lambda output: self.seen(F.relu(output)).clone())
        with _hooked(self.layer[0], catcher.mark), catcher:
            return self.ask(x)

    def _feeds_a_relu(self, x: Tensor) -> bool:
        catcher = _Relu(F.relu)
        with torch.no_grad(), _hooked(self.layer[0], catcher.mark), catcher:
            self.ask(x)
        if catcher.marked is None or catcher.marked.ndim != 4:
            raise NoMap(f"the layer {self.name} gives no map of height and width")
        return catcher.caught


class _Relu(TorchFunctionMode):
    """Answers the ReLU that takes the marked tensor by `answer`; leaves all else alone."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer
        self.marked: Tensor | None = None
        self.caught = False

    def mark(self, output: Any) -> Any:
        self.marked = output if isinstance(output, Tensor) else None
        return output

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # signature given by torch
        if func in RELU and args and args[0] is self.marked:
            self.caught, self.marked = True, args[0]
            return self.answer(args[0])  # the mode is off in here: torch pops it
        return func(*args, **(kwargs or {}))


@contextmanager
def _hooked(layer: nn.Module, answer: Any) -> Iterator[None]:
    handle = layer.register_forward_hook(lambda _module, _given, output: answer(output))
    try:
        yield
    finally:
        handle.remove()

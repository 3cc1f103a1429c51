"""Images that go through the network, counted alike for everybody: at the network's own door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook


@dataclass
class Count:
    """`looks`: images sent forward; `gradients`: those among them that a gradient came back for."""

    looks: int = 0
    gradients: int = 0

    @property
    def forwards(self) -> int:
        """A backward pass to the pixels counts as one more forward."""
        return self.looks + self.gradients


@contextmanager
def counted(networks: Sequence[nn.Module]) -> Iterator[Count]:
    """Counts calls × batch of these modules while it is open.

    A call whose input asks for a gradient is taken to be followed by its backward pass.
    """
    doors = {id(network) for network in networks}
    count = Count()

    def note(module: nn.Module, given: tuple[object, ...]) -> None:
        if id(module) in doors and given and isinstance(given[0], Tensor):
            count.looks += len(given[0])
            if given[0].requires_grad and torch.is_grad_enabled():
                count.gradients += len(given[0])

    hook = register_module_forward_pre_hook(note)
    try:
        yield count
    finally:
        hook.remove()

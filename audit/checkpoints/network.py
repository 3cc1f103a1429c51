"""A network with its weights in, before anything is known about classes and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from audit.results import Note


@dataclass(frozen=True)
class Network:
    """`channels` of its input, None where the network does not show it. `cam_layer`: dotted
    name within `module`. `logits`: known to give one tensor of logits (torchvision's own).
    """

    module: nn.Module
    architecture: str
    channels: int | None = None
    cam_layer: str | None = None
    logits: bool = False
    notes: tuple[Note, ...] = ()

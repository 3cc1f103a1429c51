"""The hardened network on disk, and as a classifier under the given decision rule."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from audit.checkpoints.outputs import AsLogits
from audit.checkpoints.own import save_checkpoint
from audit.classifier import Classifier
from audit.decision import log_odds
from audit.defences.adversarial_training import NAME
from audit.errors import HipauditError
from audit.files import write_whole
from audit.results import ModelDescription, Note


def save(path: Path, module: nn.Module, description: ModelDescription) -> ModelDescription:
    """Write a checkpoint of ours, or a bare state_dict where the network is none of ours."""
    try:
        save_checkpoint(path, module, description)
        text = f"The hardened weights are kept as {path.name}."
    except HipauditError:
        network = module.network if isinstance(module, AsLogits) else module
        stream = io.BytesIO()
        torch.save(network.state_dict(), stream)
        write_whole(path, stream.getvalue())
        text = f"The hardened weights are kept as {path.name}, a state_dict for the given network."
    note = Note(code=f"{NAME}.kept", level="info", text=text)
    return description.model_copy(update={"notes": (*description.notes, note)})


class Shifted(nn.Module):
    """A network whose positive logit is moved by `by`: its own threshold becomes another."""

    def __init__(self, network: nn.Module, positive: int, by: float) -> None:
        super().__init__()
        self.network = network
        self.shift: Tensor
        shift = torch.zeros(positive + 1)
        shift[positive] = by
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        more = logits.shape[1] - len(self.shift)
        return logits + nn.functional.pad(self.shift, (0, more))


def as_defence(given: Classifier, module: nn.Module, description: ModelDescription) -> Classifier:
    """The hardened network under the given decision rule, deciding as its own rule does.

    An audit has one rule; where the hardened threshold is another, its positive logit is moved
    by the difference of the two in log-odds, so that every decision stays what it is.
    """
    ours, theirs = given.description.threshold, description.threshold
    changes: dict[str, Any] = {
        "threshold": ours,
        "threshold_origin": given.description.threshold_origin,
    }
    if ours is not None and theirs is not None and ours != theirs:
        module = Shifted(module, given.decision.positive, log_odds(ours) - log_odds(theirs))
    return Classifier(module, description.model_copy(update=changes), device=str(given.device))

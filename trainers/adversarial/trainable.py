"""A copy of a given network that learns, or one line on why there is none."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.reasons import reason_of

CASCADE = "cascade"


class Answering(nn.Module):
    """A network whose training mode gives more than logits (auxiliary heads): the logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        out = self.network(x)
        logits: Tensor = out if isinstance(out, Tensor) else out[0]
        return logits


def trainable(classifier: Classifier) -> nn.Module:
    """A copy of the network in which every floating parameter learns, tried on one batch.

    Raises HipauditError where there is nothing to train: no gradients, a frozen script, a
    cascade or a classifier that answers through something else than one network.
    """
    if not classifier.has_gradients:
        raise _cannot("a classifier without gradients")
    if not classifier.plain or classifier.description.architecture == CASCADE:
        raise _cannot("a chain of networks, or one with a defence around it")
    way = classifier.preparation
    size = (4, way.channels, way.height, way.width)
    probe = torch.linspace(-2, 2, 4 * way.channels * way.height * way.width).sin().view(size)
    probe = probe.to(classifier.device)
    try:
        module = copy.deepcopy(classifier.module)
        before = copy.deepcopy(module.state_dict())
        for parameter in module.parameters():
            parameter.requires_grad_(parameter.is_floating_point())
        with torch.random.fork_rng(devices=[]):  # dropout draws
            module.train()
            answer = module(probe)
            logits = answer if isinstance(answer, Tensor) else answer[0]
            logits.sum().backward()
        learning = any(p.grad is not None for p in module.parameters())
        module.zero_grad(set_to_none=True)
        module.load_state_dict(before)  # the statistics have moved
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise _cannot(f"one that fails in training mode ({reason_of(error)})") from error
    if not learning:
        raise _cannot("one without parameters that learn (a frozen TorchScript, say)")
    return module if isinstance(answer, Tensor) else Answering(module)


def _cannot(found: str) -> HipauditError:
    return HipauditError(
        "a network that can be trained", found, "Harden the weights it was made from."
    )

"""Whatever a network puts out, as logits (N, K >= 2) whose softmax is what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from audit.checkpoints.network import Network
from audit.checkpoints.options import OUTPUTS
from audit.checkpoints.text import quoted
from audit.draws import generator
from audit.errors import HipauditError, did_you_mean
from audit.results import Note, Preparation

# Smallest number whose logarithm float32 can hold; a probability of 0 becomes about -87.
TINY = float(torch.finfo(torch.float32).tiny)
# Closest to 0 and 1 that a float32 sigmoid can be told apart from them.
EDGE = 1e-7
KEYS = ("logits", "out", "output", "outputs", "pred")


class AsLogits(nn.Module):
    """A network whose output is turned into logits (N, K), class order as described.

    `output`: one of logits, probabilities, log_probabilities, sigmoid, one_logit. A single
    number z, the log-odds of the positive class, becomes [-z/2, z/2] with z/2 at `positive`.
    The network itself is `network`.
    """

    def __init__(self, network: nn.Module, output: str, positive: int = 1) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise HipauditError(
                "a kind of output", f'"{output}"', did_you_mean(output, list(OUTPUTS))
            )
        self.network = network
        self.output = output
        self.positive = positive

    def forward(self, x: Tensor) -> Tensor:
        z: Tensor = column(first_tensor(self.network(x)), len(x))
        if self.output == "probabilities":
            z = _sure(z).clamp_min(TINY).log()
        elif self.output == "log_probabilities":
            z = z.clamp_min(-1e4)
        elif self.output == "sigmoid":
            z = torch.logit(z, eps=EDGE)
        if z.shape[1] > 1:
            return z
        halves = [-z / 2, z / 2] if self.positive == 1 else [z / 2, -z / 2]
        return torch.cat(halves, dim=1)


def first_tensor(value: Any) -> Tensor:
    """A tensor, the first of a tuple, or the "logits" of a mapping. Raises HipauditError."""
    if isinstance(value, Tensor):
        return value
    tensors: list[Tensor]
    if isinstance(value, Mapping):
        found = [value[key] for key in KEYS if isinstance(value.get(key), Tensor)]
        tensors = found or [item for item in value.values() if isinstance(item, Tensor)]
    elif isinstance(value, tuple | list):
        tensors = [item for item in value if isinstance(item, Tensor)]
    else:
        tensors = [item for item in [getattr(value, "logits", None)] if isinstance(item, Tensor)]
    if not tensors:
        raise HipauditError(
            "a network that gives a tensor (N, classes)", f"a {type(value).__name__} without one"
        )
    return tensors[0]


def column(z: Tensor, n: int) -> Tensor:
    """(N,) or (N, K[, 1, 1]) -> (N, K). Raises HipauditError for any other shape."""
    z = z.float()
    if z.ndim == 1 and len(z) == n:
        return z[:, None]
    if z.ndim >= 2 and len(z) == n and z[0].numel() == z.shape[1]:
        return z.flatten(1)
    raise HipauditError(
        "an output of one row of class scores per image",
        f"shape {tuple(z.shape)} for {n} images",
        "Audit a classifier; a segmentation or detection network has no class per image.",
    )


def _sure(p: Tensor) -> Tensor:
    """One probability p of the positive class stays p / (1 - p) after the logarithm."""
    if p.shape[1] > 1:
        return p
    p = p.clamp(EDGE, 1 - EDGE)
    return p / (1 - p)


@dataclass(frozen=True)
class Seen:
    """`kind` of output, `outputs` per image, `plain`: a (N, K) tensor as it comes."""

    kind: str
    outputs: int
    plain: bool
    notes: tuple[Note, ...] = ()


def look(network: Network, way: Preparation, declared: str | None) -> Seen:
    """What a network puts out, by running it on probe inputs of very different size.

    Only the unambiguous is recognised: rows in [0, 1] that sum to 1 are probabilities; one
    number that always stays in [0, 1] is one too, one that leaves it a logit; all else is
    logits. Raises HipauditError where the network cannot take its declared input or what
    was declared does not fit what it gives.
    """
    x = probes(way, 1 if network.logits else 8)
    raw = _run(network.module, x)
    z = column(first_tensor(raw), len(x))
    plain = isinstance(raw, Tensor) and raw.ndim == 2
    if declared is not None:
        _check_declared(declared, z)
        one = z.shape[1] == 1 and declared == "logits"
        return Seen("one_logit" if one else declared, z.shape[1], plain)
    if network.logits:
        kind = "one_logit" if z.shape[1] == 1 else "logits"
        notes = [] if z.shape[1] > 1 else [_note("one_logit")]
        return Seen(kind, z.shape[1], plain, tuple(notes))
    kind, note = recognise_output(z)
    return Seen(kind, z.shape[1], plain, () if note is None else (note,))


def probes(way: Preparation, n: int) -> Tensor:
    """(n, C, H, W) fixed noise, normalised-looking, from a tenth to a hundred in size."""
    noise = generator(0, "probe inputs").standard_normal((n, way.channels, way.height, way.width))
    scale = torch.logspace(-1, 2, n).view(-1, 1, 1, 1)
    return torch.from_numpy(noise).float() * scale


def _run(module: nn.Module, x: Tensor) -> Any:
    place = next((p.device for p in module.parameters()), x.device)
    try:
        with torch.no_grad():
            return module(x.to(place))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        first = quoted(str(error).partition("\n")[0], 120)
        raise HipauditError(
            f"a network that takes input {tuple(x.shape)}",
            f"one that fails on it: {first}",
            "Say the input in model.yaml: input: {size: …, channels: …}",
        ) from error


def _check_declared(declared: str, z: Tensor) -> None:
    one = z.shape[1] == 1
    inside = bool(((z >= 0) & (z <= 1)).all())
    if (declared == "one_logit" and not one) or (declared == "log_probabilities" and one):
        found = f"{z.shape[1]} output{'s' * (not one)}"
        raise HipauditError(f"what output: {declared} means", found)
    if declared in ("probabilities", "sigmoid") and bool(torch.isfinite(z).all()) and not inside:
        raise HipauditError(
            f"outputs in [0, 1], as output: {declared} says",
            f"values from {float(z.min()):.3g} to {float(z.max()):.3g}",
            "Write output: logits (or one_logit) in model.yaml.",
        )


def recognise_output(z: Tensor) -> tuple[str, Note | None]:
    """Kind of output from values (N, K) seen on probe inputs, and what to say about it."""
    one = z.shape[1] == 1
    if not torch.isfinite(z).all():
        return ("one_logit" if one else "logits"), None
    inside = bool(((z >= 0) & (z <= 1)).all())
    if one:
        kind = "sigmoid" if inside else "one_logit"
        return kind, _note(kind)
    unit = torch.ones(len(z))
    if inside and torch.allclose(z.sum(1), unit, atol=1e-4):
        return "probabilities", _note("probabilities")
    if bool((z <= 0).all()) and torch.allclose(z.logsumexp(1), unit * 0, atol=1e-4):
        return "log_probabilities", _note("log_probabilities")
    if inside:
        text = (
            "Every output lies in [0, 1] without summing to 1; taken as logits. If each is a "
            'sigmoid, say so in model.yaml: "output: sigmoid".'
        )
        return "logits", Note(code="output-unclear", level="warning", text=text)
    return "logits", None


_SEEN = {
    "probabilities": "rows in [0, 1] that sum to 1: taken as probabilities (softmax)",
    "log_probabilities": "rows whose exponentials sum to 1: taken as log-probabilities",
    "sigmoid": "one number that stays in [0, 1]: taken as the positive class's probability",
    "one_logit": "one number that leaves [0, 1]: taken as the positive class's log-odds",
}


def _note(kind: str) -> Note:
    return Note(code="output-recognised", level="assumed", text=f"The network gives {_SEEN[kind]}.")

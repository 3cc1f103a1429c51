"""Our own checkpoints: weights plus everything needed to use them, readable with weights_only.

A torch zip of {"hipaudit": JSON text, "state_dict": tensors}. Nothing in it is code.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from audit.checkpoints.architectures import HEADS, build, shapes_only
from audit.checkpoints.assemble import cam_module, load_strictly
from audit.checkpoints.network import Network
from audit.checkpoints.outputs import AsLogits
from audit.checkpoints.text import quoted
from audit.errors import DamagedFile, HipauditError
from audit.files import write_whole
from audit.results import ModelDescription

KEY = "hipaudit"
FORMAT = 1
# What is established anew at each loading, or about one file only.
NOT_KEPT = {"notes", "sha256", "container", "trusted_code", "cam_layer", "gradients", "parameters"}


@dataclass(frozen=True)
class Shape:
    """How `build` is called to get the module back."""

    head: str
    channels: int
    width: int
    outputs: int


@dataclass(frozen=True)
class Own:
    """What one of our files says: the network with weights, its description and record."""

    network: Network
    description: ModelDescription


def save_checkpoint(
    path: Path,
    module: nn.Module,
    description: ModelDescription,
    training: Mapping[str, Any] | None = None,
) -> Path:
    """Write a self-describing checkpoint, whole or not at all.

    `description.architecture` is a torchvision name and the module one that `build` makes;
    it is rebuilt and compared on a probe image before anything is written. `training` is
    plain JSON data (recipe, seed, scores; {"synthetic": true} for synthetic data) and joins
    `description.training`. Raises HipauditError where the module cannot be described.
    """
    network = module.network if isinstance(module, AsLogits) else module
    if not isinstance(network, nn.Module):
        raise HipauditError("a module", type(network).__name__)
    state = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
    shape = shape_of(network, state, description)
    kept = description.model_dump(mode="json", exclude=NOT_KEPT)
    kept["training"] = {**description.training, **(training or {})}
    record = {"format": FORMAT, "description": kept, "build": vars(shape)}
    try:
        text = json.dumps(record, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise HipauditError("a training record of plain JSON values", str(error)) from error
    stream = io.BytesIO()
    torch.save({KEY: text, "state_dict": state}, stream)
    return write_whole(path, stream.getvalue())


def shape_of(
    network: nn.Module, state: Mapping[str, Tensor], description: ModelDescription
) -> Shape:
    """The call of `build` that gives this module back, proved on a probe image."""
    ends = [value for name, value in state.items() if name.endswith("weight")]
    outputs = len(ends[-1]) if ends and ends[-1].ndim else 0
    channels = description.preparation.channels
    probe = _probe(channels, description.preparation.height, description.preparation.width)
    expected = _answer(network, probe)
    for head in HEADS if outputs else ():
        width = _width(state) if head == "concat-pool" else 0
        try:
            again = _rebuilt(description.architecture, Shape(head, channels, width, outputs), state)
        except HipauditError:
            continue
        scale = max(1.0, float(expected.abs().max()))
        # Not bit for bit: a convolution's last digits may follow the memory's alignment.
        if torch.allclose(_answer(again, probe), expected, rtol=0, atol=1e-4 * scale):
            return Shape(head, channels, width, outputs)
    raise HipauditError(
        f"a {description.architecture} as audit.checkpoints.architectures.build makes it",
        "a module that differs",
        "Save its state_dict instead and give --arch package.module:factory.",
    )


def _rebuilt(architecture: str, shape: Shape, state: Mapping[str, Tensor]) -> nn.Module:
    module = shapes_only(
        lambda: build(architecture, shape.outputs, shape.head, shape.channels, shape.width or 512)
    )
    load_strictly(module, state)
    return module


def _width(state: Mapping[str, Tensor]) -> int:
    hidden = [v.shape[0] for k, v in state.items() if k.startswith("1.") and v.ndim == 2]
    return hidden[0] if len(hidden) == 2 else 0


def _probe(channels: int, height: int, width: int) -> Tensor:
    return torch.linspace(-2, 2, channels * height * width).sin().view(1, channels, height, width)


def _answer(module: nn.Module, probe: Tensor) -> Tensor:
    """Eval-mode output on the CPU; the module's mode and device are put back."""
    was = module.training
    place = next(module.parameters()).device
    with torch.no_grad():
        out: Tensor = module.eval()(probe.to(place)).cpu()
    module.train(was)
    return out


def is_own(content: object) -> bool:
    return isinstance(content, Mapping) and KEY in content


def read_own(content: Mapping[str, Any]) -> Own:
    """The network and description in one of our files. Raises DamagedFile where it is not whole."""
    try:
        record = json.loads(content[KEY])
        if record.get("format") != FORMAT:
            raise DamagedFile(
                f"a hipaudit checkpoint of format {FORMAT}",
                f"format {quoted(record.get('format'))}",
                "Use the version of hipaudit that wrote it.",
            )
        description = ModelDescription.model_validate(record["description"])
        shape = Shape(**record["build"])
        state = content["state_dict"]
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise DamagedFile(
            "a whole hipaudit checkpoint", f"a record that cannot be read ({type(error).__name__})"
        ) from error
    return Own(network_of(description.architecture, shape, state), description)


def network_of(architecture: str, shape: Shape, state: Mapping[str, Tensor]) -> Network:
    """The network that `shape` builds, with these weights in. Raises HipauditError."""
    sizes = (shape.outputs, shape.channels, shape.width)
    if not all(isinstance(n, int) and 0 <= n <= 65536 for n in sizes) or shape.outputs < 1:
        raise DamagedFile("a whole hipaudit checkpoint", "sizes out of range")
    module = _rebuilt(architecture, shape, state)
    layer = cam_module(architecture, module, cut_body=shape.head == "concat-pool")
    return Network(module, architecture, shape.channels, layer, logits=True)

"""--arch package.module:factory: the user's own network code.

It runs only because the user named it on the command line, never because a file does.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from torch import Tensor, nn

from audit.checkpoints.assemble import load_strictly
from audit.checkpoints.network import Network
from audit.checkpoints.text import quoted
from audit.checkpoints.unwrap import inside
from audit.errors import HipauditError

EXAMPLE = "Write --arch package.module:factory, where factory() returns an nn.Module."


def is_factory(arch: str) -> bool:
    return ":" in arch


def from_factory(arch: str, tensors: Mapping[str, Tensor]) -> Network:
    """The network `factory()` makes, with these weights in it, loaded strictly.

    Raises HipauditError when it cannot be imported, called, or the weights do not fit.
    """
    module = call_factory(arch)
    failure: HipauditError | None = None
    for named in [dict(tensors), *(way for way, _ in inside(tensors))]:
        try:
            load_strictly(module, named)
        except HipauditError as error:
            failure = failure or error
        else:
            return Network(module, type(module).__name__, first_channels(module))
    raise failure or HipauditError("weights", "none")


def call_factory(arch: str) -> nn.Module:
    """Import and call `package.module:factory`; the current folder is searched too."""
    name, _, attribute = arch.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        factory = getattr(import_module(name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise HipauditError("an importable factory", f"{quoted(arch)}: {error}", EXAMPLE) from error
    if not callable(factory):
        raise HipauditError("a factory that can be called", quoted(arch), EXAMPLE)
    try:
        module = factory()
    except TypeError as error:
        raise HipauditError("a factory without arguments", f"{error}", EXAMPLE) from error
    if not isinstance(module, nn.Module):
        raise HipauditError("a factory of an nn.Module", type(module).__name__, EXAMPLE)
    return module


def first_channels(module: nn.Module) -> int | None:
    """Input channels of the first convolution, where there is one and it takes 1 or 3."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            return part.in_channels if part.in_channels in (1, 3) else None
    return None

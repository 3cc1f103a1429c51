"""The network to fit: built, given its starting weights, and split into body and head."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from audit.errors import DamagedFile, HipauditError

HEADS = ("classifier", "fc", "heads", "head")  # torchvision's names for the last part


def load_start(module: nn.Module, weights: Path) -> None:
    """Copy a bare state_dict into the body; the head, whose shapes differ, stays random.

    Read with weights_only. Raises DamagedFile for what is no state_dict and HipauditError
    when the file's body is not this architecture's.
    """
    try:
        found = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a bad file; all mean the same here
        raise DamagedFile("a state_dict of weights", f"{type(error).__name__}") from error
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise DamagedFile("a state_dict of weights", "another object")
    own = module.state_dict()
    body = {name: value for name, value in own.items() if not _in_head(name)}
    missing = [n for n, v in body.items() if n not in found or found[n].shape != v.shape]
    if missing:
        raise HipauditError(
            "weights of this architecture",
            f"{len(missing)} of {len(body)} tensors missing or of another shape",
            "Check the architecture's name against the file.",
        )
    module.load_state_dict({**own, **{name: found[name].to(own[name].dtype) for name in body}})


def parameter_groups(module: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(body, head) parameters. The head is torchvision's last part, by name."""
    body = [p for name, p in module.named_parameters() if not _in_head(name)]
    head = [p for name, p in module.named_parameters() if _in_head(name)]
    return body, head


def freeze_body(module: nn.Module, frozen: bool) -> None:
    """Freeze or free the body. Its BatchNorm keeps training (fastai's train_bn=True)."""
    body, _ = parameter_groups(module)
    norms = {
        id(p)
        for part in module.modules()
        if isinstance(part, nn.modules.batchnorm._BatchNorm)
        for p in part.parameters()
    }
    for parameter in body:
        parameter.requires_grad_(not frozen or id(parameter) in norms)


def _in_head(name: str) -> bool:
    return name.split(".")[0] in HEADS

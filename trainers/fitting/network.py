"""The network to fit: built, given its starting weights, and split into body and head."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from audit.checkpoints.container import kind_of, read_content
from audit.checkpoints.unwrap import strip_prefixes, unwrap
from audit.errors import HipauditError
from audit.files import sha256_of

HEADS = ("classifier", "fc", "heads", "head")  # torchvision's names for the last part


def load_start(module: nn.Module, weights: Path) -> None:
    """Copy a checkpoint's weights into the body; the head, whose shapes differ, stays random.

    Read as the audit reads a model: checked first, never running code. Raises UnsafeFile or
    DamagedFile for what is no checkpoint of weights, and HipauditError when the file's body is
    not this architecture's.
    """
    content = read_content(weights, kind_of(weights), sha256_of(weights))
    found = strip_prefixes(unwrap(content).tensors)
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

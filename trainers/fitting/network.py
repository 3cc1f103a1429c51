"""Starting weights for a network: from torchvision's hub or a file, read warily."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.error import URLError

from torch import Tensor, nn

from audit.checkpoints.assemble import torchvision_children
from audit.checkpoints.container import kind_of, read_content
from audit.checkpoints.layout import HEAD_NAMES
from audit.checkpoints.signatures import OLD_DENSENET
from audit.checkpoints.unwrap import strip_prefixes, unwrap
from audit.errors import DamagedFile, HipauditError
from audit.files import sha256_of
from trainers.architectures import hub_file
from trainers.fitting.groups import is_pooled

Start = Path | Literal["imagenet"]
_POOLED_BODY = re.compile(r"0\.(\d+)\.(.+)")


def load_start(module: nn.Module, weights: Start, architecture: str = "") -> None:
    """Copy a checkpoint's weights into the body; the head, whose shapes differ, stays random.

    `weights`: a file, or "imagenet" for torchvision's. Under the concat-pool head the body's
    parts are numbered; `architecture` says which names they have in torchvision's files.
    Read as the audit reads a model: checked first, never running code. Raises UnsafeFile or
    DamagedFile for what is no checkpoint of weights, and HipauditError when the file's body is
    not this architecture's.
    """
    path = imagenet_file(architecture) if weights == "imagenet" else Path(weights)
    content = read_content(path, kind_of(path), sha256_of(path))
    parts = _parts(architecture)
    found = {_native(n, parts): v for n, v in strip_prefixes(unwrap(content).tensors).items()}
    own = module.state_dict()
    heads = (*HEAD_NAMES, "1") if is_pooled(module) else HEAD_NAMES
    named = {name: _native(name, parts) for name in own}
    body = {name: theirs for name, theirs in named.items() if theirs.split(".")[0] not in heads}
    # A file from before BatchNorm counted its batches has no counters, and needs none.
    counted = {name for name in body if name.endswith("num_batches_tracked")}
    missing = [
        name
        for name, theirs in body.items()
        if not (name in counted and theirs not in found) and not _fits(own[name], found.get(theirs))
    ]
    if missing:
        raise HipauditError(
            "weights of this architecture",
            f"{len(missing)} of {len(body)} tensors missing or of another shape",
            "Check the architecture's name against the file.",
        )
    taken = {name: found[theirs] for name, theirs in body.items() if theirs in found}
    module.load_state_dict({**own, **{n: v.to(own[n].dtype) for n, v in taken.items()}})


def imagenet_file(architecture: str) -> Path:
    """Torchvision's IMAGENET1K_V1 weights in torch's own cache, downloaded where they are not.

    Raises HipauditError that names the file to place by hand where there is no network, and
    DamagedFile where its content is not what its name says.
    """
    import torch.hub

    address, name, digest = hub_file(architecture)
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(address, str(path), digest, progress=False)
        except (URLError, OSError) as error:
            raise HipauditError(
                f"to download {name}",
                type(error).__name__,
                f"Fetch {address} elsewhere and give that file as the weights, or place it in "
                f"torch's cache (TORCH_HOME/hub/checkpoints/{name}).",
            ) from error
        except RuntimeError as error:  # torch's word for a digest that differs
            raise DamagedFile(f"{name} whole", "another digest", "Try again.") from error
    if not sha256_of(path).startswith(digest):
        raise DamagedFile(
            f"{name} whole", "another digest", f"Delete {name} from torch's cache and try again."
        )
    return path


def _parts(architecture: str) -> list[str]:
    """Torchvision's names of the body's parts, in order; none for a network it does not have."""
    try:
        return [name for name, _ in torchvision_children(architecture)] if architecture else []
    except HipauditError:
        return []


def _native(name: str, parts: list[str]) -> str:
    """A tensor's name as torchvision gives it: `0.4.1.conv1` -> `layer1.1.conv1`."""
    pooled = _POOLED_BODY.fullmatch(name)
    if pooled and int(pooled[1]) < len(parts):
        name = f"{parts[int(pooled[1])]}.{pooled[2]}"
    return OLD_DENSENET.sub(r"\1\2.", name)


def _fits(own: Tensor, found: Tensor | None) -> bool:
    return found is not None and found.shape == own.shape

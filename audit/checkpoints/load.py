"""From a model file, or a module in memory, to a Classifier with everything assumed said aloud."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from audit.cascade.module import Cascade
from audit.cascade.stored import is_cascade
from audit.checkpoints.assemble import assemble, cam_module
from audit.checkpoints.chained import loaded_cascade
from audit.checkpoints.container import kind_of, read_content
from audit.checkpoints.describe import Known, classifier_of
from audit.checkpoints.named_code import first_channels, from_factory, is_factory
from audit.checkpoints.network import Network
from audit.checkpoints.options import ModelOptions
from audit.checkpoints.own import is_own, read_own
from audit.checkpoints.sidecar import Sidecar, find_sidecar, read_sidecar
from audit.checkpoints.signatures import recognise
from audit.checkpoints.text import quoted
from audit.checkpoints.trusted import load_trusted
from audit.checkpoints.unwrap import unwrap
from audit.classifier import Classifier
from audit.errors import DamagedFile, HipauditError
from audit.files import sha256_of
from audit.results import Note

_DEFAULT = ModelOptions()


def load_classifier(
    path: str | Path, labels: Sequence[str], options: ModelOptions = _DEFAULT
) -> Classifier:
    """A Classifier from a checkpoint, or from a model.yaml that names its weights.

    `labels` are the label names of the data. Raises HipauditError for what cannot be read or
    is not known, UnsafeFile for what would run code, DamagedFile for what is broken.
    """
    checkpoint, sidecar, notes = _find(Path(path), options)
    kind = kind_of(checkpoint)
    digest = _digest(checkpoint, options, sidecar)
    known = Known(labels, options, sidecar, (digest,), kind, (*notes, *_unchecked(kind, digest)))
    if options.trust_code is not None and kind != "safetensors":  # which holds no code
        content = load_trusted(checkpoint, kind, options.trust_code)
        known = known.trusting()
        if isinstance(content, nn.Module):
            return classifier_of(_bare(content), known)
    else:
        content = read_content(checkpoint, kind, digest)
    if is_cascade(content):
        return loaded_cascade(content, known)
    if is_own(content):
        own = read_own(content)
        if options.arch not in (None, own.description.architecture):
            raise HipauditError(
                f"--arch {own.description.architecture}, which this checkpoint says it is",
                quoted(options.arch),
                "Leave --arch out: the checkpoint describes itself.",
            )
        return classifier_of(own.network, known.with_own(own.description))
    weights = unwrap(content)
    arch = options.arch or sidecar.arch
    if arch is not None and is_factory(arch):
        network = from_factory(arch, weights.tensors)
    else:
        network = assemble(weights.tensors, arch)
    return classifier_of(network, known.with_weights(weights))


def from_module(
    module: nn.Module, labels: Sequence[str], options: ModelOptions = _DEFAULT
) -> Classifier:
    """A Classifier from any nn.Module, as in a notebook. The module given is not changed.

    Raises HipauditError as `load_classifier` does.
    """
    if not isinstance(module, nn.Module):
        raise HipauditError("an nn.Module", type(module).__name__)
    sidecar = read_sidecar(options.sidecar) if options.sidecar else Sidecar()
    if isinstance(module, Cascade):
        raise HipauditError(
            "a network", "a cascade without its description", "Give the Classifier it came with."
        )
    network = _bare(copy.deepcopy(module))
    known = Known(labels, options, sidecar, (_content_digest(module),))
    return classifier_of(network, known)


def _bare(module: nn.Module) -> Network:
    """A module that came as one: torchvision's own are recognised, for their Grad-CAM layer."""
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    match = recognise(shapes)
    plain = type(module).__module__.startswith("torchvision.")
    if match is None or match.by != "keys" or not plain:
        return Network(module, type(module).__name__, first_channels(module))
    layer = cam_module(match.architecture, module)
    return Network(module, match.architecture, match.channels, layer)


def _content_digest(module: nn.Module) -> str:
    """SHA-256 over names and values of all tensors: what a file's digest is to a file."""
    digest = hashlib.sha256(type(module).__name__.encode())
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(-1).numpy().tobytes())
    return digest.hexdigest()


def _find(path: Path, options: ModelOptions) -> tuple[Path, Sidecar, tuple[Note, ...]]:
    """The checkpoint and its model.yaml: given, found beside it, or naming it."""
    if path.suffix in (".yaml", ".yml") and path.is_file():
        sidecar = read_sidecar(path)
        if sidecar.weights is None:
            raise HipauditError(
                "weights: FILE in model.yaml", "no such line", "Or give the checkpoint itself."
            )
        return _beside(path, sidecar.weights), sidecar, ()
    if options.sidecar is not None:
        return path, read_sidecar(options.sidecar), ()
    found = find_sidecar(path)
    if found is None:
        return path, Sidecar(), ()
    text = f"{found.name} beside the checkpoint was read and obeyed."
    note = Note(code="sidecar-found", level="info", text=text)
    return path, read_sidecar(found), (note,)


def _beside(sidecar: Path, weights: str) -> Path:
    """A file in the sidecar's own folder or below it; a sidecar points nowhere else."""
    folder = sidecar.parent.resolve()
    wanted = (folder / weights).resolve()
    if not wanted.is_relative_to(folder):
        raise HipauditError(
            "weights beside model.yaml", f"{quoted(weights)}, outside its folder", "Move them."
        )
    return wanted


def _unchecked(kind: str, digest: str) -> tuple[Note, ...]:
    """Formats in which a flipped bit cannot be seen."""
    if kind not in ("safetensors", "legacy"):
        return ()
    text = (
        f"This format has no checksum: compare the SHA-256 with its maker's ({digest}), or "
        "require it with --sha256."
    )
    return (Note(code="no-checksum", level="info", text=text),)


def _digest(path: Path, options: ModelOptions, sidecar: Sidecar) -> str:
    """The file's SHA-256, compared with every one that is required."""
    found = sha256_of(path)
    required = {"--sha256": options.sha256, "model.yaml": sidecar.sha256}
    for source, wanted in required.items():
        if wanted is not None and wanted.lower().removeprefix("sha256:") != found:
            raise DamagedFile(
                f"the file whose SHA-256 is {quoted(wanted, 72)} ({source})",
                f"one whose SHA-256 is {found}",
            )
    return found

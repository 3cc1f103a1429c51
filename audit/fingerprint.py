"""What identifies a computation: weights, sources, versions, machine class."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from audit.classifier import Classifier

PACKAGES = (
    "hipaudit",
    "torch",
    "torchvision",
    "adversarial-robustness-toolbox",
    "grad-cam",
    "numpy",
    "scipy",
    "pydicom",
    "pillow",
    "weasyprint",
)


def model_digest(classifier: Classifier) -> str:
    """sha256 over weights, structure, preparation, decision rule and what a defence is set to.

    A defence says what it is set to in a note whose code is `<defence>.<what>`.
    """
    digest = hashlib.sha256(repr(classifier.module).encode())
    for name, tensor in sorted(classifier.module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).numpy().tobytes())
    found = classifier.description
    for part in (found.preparation, found.classes, found.positive_class, found.threshold):
        digest.update(repr(part).encode())
    for note in found.notes:
        if "." in note.code:
            digest.update(note.text.encode())
    return digest.hexdigest()


@cache
def sources_digest() -> str:
    """sha256 over the sources that decide an outcome: a change of code is a new unit."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.parent.name in {"metrics", "probes", "checkpoints"} and path.parent != root:
            continue
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Installed versions of what can change a number; "not installed" is said."""

    def found(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "not installed"

    return {name: found(name) for name in PACKAGES}


def machine() -> str:
    """Machine class, never a host name."""
    return f"{platform.system()} {platform.machine()}"

"""Where each network of a study starts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from audit.errors import HipauditError
from audit.files import sha256_of

Start = Path | Literal["imagenet"] | None
SUFFIXES = (".pth", ".pt", ".safetensors")


def starting_weights(weights: Path | str, architectures: Sequence[str]) -> dict[str, Start]:
    """Architecture -> a file, "imagenet" or None. `weights`: "imagenet", "none", or a path.

    A folder holds `<architecture>.pth` or torchvision's `<architecture>-<hash>.pth`; a file
    serves one architecture. Raises HipauditError naming every architecture without a file.
    """
    if weights == "imagenet":
        return dict.fromkeys(architectures, "imagenet")
    if weights == "none":
        return dict.fromkeys(architectures)
    place = Path(weights)
    if place.is_file():
        return {_only(architectures): place}
    if not place.is_dir():
        raise HipauditError(
            '"imagenet", "none", a weights file or a folder of them',
            f'nothing at "{weights}"',
            "Check --weights.",
        )
    found = {name: _matching(place, name) for name in architectures}
    missing = [name for name, files in found.items() if not files]
    if missing:
        raise HipauditError(
            "a weights file for every architecture in the folder of --weights",
            f"none for {', '.join(missing)}",
            f"Put {missing[0]}.pth there, or name fewer with --models.",
        )
    for name, files in found.items():
        if len(files) > 1:
            raise HipauditError(
                f"one weights file of {name}", f"{len(files)} in the folder", "Keep one of them."
            )
    return {name: files[0] for name, files in found.items()}


def fetch(starts: Mapping[str, Start]) -> None:
    """Download what is not there yet of torchvision's, so that no network is needed hours later.

    Raises HipauditError that names the file to place by hand where there is no network.
    """
    for name, start in starts.items():
        if start == "imagenet":
            from trainers.fitting.network import imagenet_file

            imagenet_file(name)


def start_digest(start: Start) -> str:
    """What a start is, for the record: a file by its SHA-256, never by its name."""
    if start is None:
        return "random"
    return "imagenet" if start == "imagenet" else f"sha256 {sha256_of(Path(start))}"


def _only(architectures: Sequence[str]) -> str:
    if len(architectures) != 1:
        raise HipauditError(
            f"a folder with the weights of {len(architectures)} architectures",
            "one file",
            "Give the folder, or one architecture with --models.",
        )
    return architectures[0]


def _matching(folder: Path, name: str) -> list[Path]:
    """vgg19-dcbb9e9d.pth is vgg19's and vgg19_bn-c79401a0.pth is not."""
    wanted = re.compile(rf"{re.escape(name)}([-.][^/]*)?")
    files = [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]
    return [path for path in files if wanted.fullmatch(path.stem)]

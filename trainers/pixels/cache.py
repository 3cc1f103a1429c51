"""Every case decoded once: training and validation then read a mapped file, not images."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from audit.cases.case import Case, Cases, Pixels
from audit.classifier import prepare_pixels
from audit.errors import HipauditError
from audit.files import writing_whole
from audit.results import Preparation
from trainers.pixels.ahead import ahead
from trainers.pixels.stored import Stored, Values, open_images, write_images
from trainers.progress import Progress, Quiet

Kind = Literal["roomy", "prepared"]
ROOM = 2  # times the input: fastai shrinks by area down to this before it samples
DECODERS = 8  # more threads than this wait for the disk
EIGHT_BITS = 1e-3  # grey levels; float32 of k/255 is nearer to k than that


def store_pixels(
    cases: Cases,
    way: Preparation,
    kind: Kind,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    name: str = "data",
) -> Stored:
    """The pixels of `cases`, in their order, decoded now or found in `folder`.

    "roomy": each image at its own aspect, shrunk by area until its short side is twice the
    input's, for training, which crops and warps it in one sampling. 8-bit images are kept in
    8 bits, which rounds an average by at most half a grey level; deeper ones in 16.
    "prepared": what `Classifier.prepare` gives, float32, for validation.

    `folder` gets mode 0700 and one file of mode 0600, named by what decides its content (ids,
    preparation, kind); without a folder the file has no name and goes when the process ends.
    A damaged file is made anew and a note says so. Raises HipauditError when the disk is full.
    """
    progress = progress or Quiet()
    images = _decoded(cases, way, kind, progress, f"decoding the {name}")
    key = _key(cases, way, kind)
    if folder is None:
        return _nameless(images, key)
    _make_private(folder)
    path = folder / f"pixels-{key[:24]}.bin"
    found = open_images(path, key)
    if found is not None:
        return found
    if path.exists():
        progress.note(f"Stored pixels of the {name} were damaged; they are decoded again.")
    with writing_whole(path, mode=0o600) as stream:
        write_images(stream, images, key)
    written = open_images(path, key)
    if written is None:
        raise HipauditError(
            "the stored pixels as they were written", "others", "Check the disk, then run again."
        )
    return written


def forget_pixels(folder: Path) -> None:
    """Remove the decoded images of a folder, and the folder if that leaves it empty."""
    for path in folder.glob("pixels-*.bin"):
        path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def shrunk(pixels: Pixels, way: Preparation) -> npt.NDArray[np.float32]:
    """(H, W[, 3]) -> (C, h, w), averaged over areas to ROOM times the input, never enlarged."""
    array = np.ascontiguousarray(pixels, dtype=np.float32)
    image = torch.from_numpy(array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0).copy())
    height, width = image.shape[-2:]
    frame_height, frame_width = frame(height, width, way)
    times = min(height / frame_height, width / frame_width) / ROOM
    if times > 1:
        size = (max(1, round(height / times)), max(1, round(width / times)))
        image = F.interpolate(image[None], size=size, mode="area")[0]
    return image.numpy()


def frame(height: int, width: int, way: Preparation) -> tuple[int, int]:
    """Height and width an image is resized to before the crop (or the padding), in pixels."""
    if way.resize == "squish":
        return way.height, way.width
    ratios = (way.height / height, way.width / width)
    ratio = max(ratios) if way.resize == "crop" else min(ratios)
    return max(1, round(height * ratio)), max(1, round(width * ratio))


def _decoded(
    cases: Cases, way: Preparation, kind: Kind, progress: Progress, what: str
) -> Iterator[Values]:
    def decode(case: Case) -> Values:
        pixels = case.load()
        if kind == "prepared":
            return prepare_pixels(pixels, way).numpy()
        return _as_integers(pixels, shrunk(pixels, way))

    workers = min(DECODERS, os.cpu_count() or 1)
    done = ahead(decode, cases, workers=workers, waiting=2 * workers)
    for number, image in enumerate(done, start=1):
        yield image
        progress.run(what, number, len(cases))


def _as_integers(native: Pixels, image: npt.NDArray[np.float32]) -> Values:
    """[0, 1] -> uint8 when the native image holds 8-bit values, otherwise uint16."""
    levels = native * np.float32(255)
    eight = bool(np.abs(levels - np.rint(levels)).max(initial=0.0) < EIGHT_BITS)
    full, to = (255, np.uint8) if eight else (65535, np.uint16)
    values: Values = np.rint(np.clip(image, 0, 1) * np.float32(full)).astype(to)
    return values


def _key(cases: Cases, way: Preparation, kind: Kind) -> str:
    """What decides the content: which pixels (an id is a hash of them), what is done, by what."""
    parts: dict[str, Any] = {
        "ids": [case.id for case in cases],
        "way": way.model_dump(include={"height", "width", "resize", "interpolation"}),
        "kind": kind,
        "room": ROOM,
        "torch": str(torch.__version__),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HipauditError("a private folder for pixels", reason, "Check permissions.") from None


def _nameless(images: Iterator[Values], key: str) -> Stored:
    try:
        with tempfile.TemporaryFile() as stream:
            places = write_images(stream, images, key)
            stream.flush()
            return Stored(np.memmap(stream, np.uint8, mode="r"), tuple(places))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HipauditError(
            "room for the decoded pixels", reason, "Set TMPDIR to a folder with more room."
        ) from error

"""Decoded images in one flat array, each at its own size, and the sealed file that holds it.

A file is: a mark, the values of one image after the other, the index as JSON, the length of
the index, and the SHA-256 of all that comes before it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

MARK = b"hipaudit pixels 1\n"
SEAL = 32
FULL_SCALE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
ALIGNMENT = 8

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image lies: byte offset, (C, H, W), and the type of its values."""

    offset: int
    shape: tuple[int, int, int]
    kind: str


@dataclass(frozen=True)
class Stored:
    """Images of a split in the order of its cases. `values`: their bytes, in memory or mapped."""

    values: npt.NDArray[np.uint8]
    places: tuple[Place, ...]

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def channels(self) -> int:
        """1 when every image is grey, else 3."""
        return max(place.shape[0] for place in self.places)

    @cached_property
    def sizes(self) -> Tensor:
        """Height and width of each image: (N, 2) int64."""
        return torch.tensor([place.shape[1:] for place in self.places])

    def image(self, row: int) -> Values:
        """(C, H, W) as it is stored; a view, not a copy."""
        place = self.places[row]
        kind = np.dtype(place.kind)
        end = place.offset + int(np.prod(place.shape)) * kind.itemsize
        found: Values = self.values[place.offset : end].view(kind).reshape(place.shape)
        return found

    def batch(self, rows: Sequence[int]) -> Tensor:
        """(N, C, H, W), smaller images padded right and below with zeros.

        uint8 as stored when all images are, otherwise float32 in [0, 1].
        """
        images = [self.image(row) for row in rows]
        height, width = (max(image.shape[side] for image in images) for side in (1, 2))
        shape = (len(images), self.channels, height, width)
        if all(image.dtype == np.uint8 for image in images):
            bytes_ = np.zeros(shape, np.uint8)
            for out, image in zip(bytes_, images, strict=True):
                out[:, : image.shape[1], : image.shape[2]] = image
            return torch.from_numpy(bytes_)
        floats = np.zeros(shape, np.float32)
        for out, image in zip(floats, images, strict=True):
            part = out[:, : image.shape[1], : image.shape[2]]
            np.divide(image, np.float32(FULL_SCALE[image.dtype.name]), out=part)
        return torch.from_numpy(floats)


def write_images(
    stream: BinaryIO, images: Iterable[Values], key: str, start: int = 0
) -> list[Place]:
    """Mark, images, index and seal, one image in memory at a time."""
    digest = hashlib.sha256()
    places: list[Place] = []
    written = start

    def write(data: bytes) -> None:
        nonlocal written
        stream.write(data)
        digest.update(data)
        written += len(data)

    write(MARK)
    for image in images:
        write(b"\x00" * (-written % ALIGNMENT))
        places.append(Place(written, _three(image.shape), image.dtype.name))
        write(np.ascontiguousarray(image).tobytes())
    rows = [[place.offset, *place.shape, place.kind] for place in places]
    index = json.dumps({"key": key, "images": rows}).encode()
    write(index + struct.pack("<Q", len(index)))
    stream.write(digest.digest())
    return places


def open_images(path: Path, key: str) -> Stored | None:
    """The images of a file, mapped; None when it is not what `key` names, or not whole."""
    try:
        with path.open("rb") as stream:
            places = _checked(stream, path.stat().st_size, key)
        if places is None:
            return None
        return Stored(np.memmap(path, np.uint8, mode="r"), places)
    except FileNotFoundError:
        return None


def _checked(stream: BinaryIO, size: int, key: str) -> tuple[Place, ...] | None:
    """The index of a file whose seal is whole and whose key is the one asked for."""
    if size < len(MARK) + 8 + SEAL or stream.read(len(MARK)) != MARK:
        return None
    digest = hashlib.sha256(MARK)
    left = size - SEAL - len(MARK)
    while left:
        block = stream.read(min(left, 1 << 20))
        if not block:
            return None
        digest.update(block)
        left -= len(block)
    if stream.read() != digest.digest():
        return None
    stream.seek(size - SEAL - 8)
    (length,) = struct.unpack("<Q", stream.read(8))
    stream.seek(size - SEAL - 8 - length)
    index = json.loads(stream.read(length))
    if index["key"] != key:
        return None
    return tuple(Place(row[0], (row[1], row[2], row[3]), row[4]) for row in index["images"])


def _three(shape: Sequence[int]) -> tuple[int, int, int]:
    channels, height, width = shape
    return channels, height, width

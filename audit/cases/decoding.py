"""From a file to pixels: once to learn who it is, and again whenever an audit needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from audit.cases.case import Pixels
from audit.cases.dicom_client import dicom_pixels, look_at_dicom
from audit.cases.identity import pixel_digest
from audit.cases.image import JPEG, MAX_BYTES, PNG, Unreadable, decode_image
from audit.errors import DamagedFile

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What is kept of an image after the first look: no pixels.

    `peak`: the largest value. `tags`: what a DICOM header said, allow-listed; "patient" and
    "year" stay in the reader.
    """

    digest: str
    shape: tuple[int, ...]
    peak: float
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class FileLoader:
    """`Case.load` of a file; can be pickled, shows no path."""

    path: Path = field(repr=False)
    digest: str

    def __call__(self) -> Pixels:
        try:
            pixels = load_pixels(self.path)
        except Unreadable as error:
            raise self._changed(str(error)) from None
        if pixel_digest(pixels) != self.digest:
            raise self._changed("other pixels")
        return pixels

    def _changed(self, found: str) -> DamagedFile:
        return DamagedFile(
            f"image {self.digest} as it was first read", found, "Leave the data alone during a run."
        )


def load_pixels(path: Path) -> Pixels:
    """Pixels of a PNG, JPEG or DICOM file, told apart by content. Raises Unreadable, pathless."""
    return dicom_pixels(path) if is_dicom(path) else decode_image(_read(path))


def look(path: Path) -> Decoded:
    """Decode once, keep who it is. Raises Unreadable."""
    if is_dicom(path):
        return Decoded(*look_at_dicom(path))
    pixels = decode_image(_read(path))
    return Decoded(pixel_digest(pixels), pixels.shape, float(pixels.max()))


def is_dicom(path: Path) -> bool:
    """By the mark at byte 128; files of old without it by their suffix. Raises Unreadable."""
    head = _read(path, 132)
    unmarked = path.suffix.lower() in (".dcm", ".dicom") and not head.startswith((PNG, JPEG))
    return head[128:] == b"DICM" or unmarked


def _read(path: Path, size: int = -1) -> bytes:
    """The file's first bytes, or all of at most 512 MiB."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise Unreadable("no such file")
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable("file of more than 512 MiB")
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError:
        raise Unreadable("file that cannot be opened") from None


def look_at_all(
    paths: Sequence[Path | None], workers: int, progress: Progress | None
) -> Iterator[Decoded | Unreadable | None]:
    """`look` at every path in order, `workers` at a time; None stays None."""

    def one(path: Path | None) -> Decoded | Unreadable | None:
        if path is None:
            return None
        try:
            return look(path)
        except Unreadable as reason:
            return reason

    with ThreadPoolExecutor(workers) as pool:
        for done, found in enumerate(pool.map(one, paths), 1):
            if progress is not None:
                progress(done, len(paths))
            yield found

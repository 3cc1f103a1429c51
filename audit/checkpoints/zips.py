"""A torch zip is checked whole before it is read: torch itself checks no checksums."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from audit.errors import DamagedFile

MAX_MEMBERS = 200_000
MAX_PICKLE = 256 << 20


def names_of(path: Path) -> set[str]:
    """Names of the members, whatever they hold. Raises DamagedFile."""
    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist())
    except _BROKEN as error:
        raise DamagedFile(
            "a whole checkpoint", f"a damaged zip ({type(error).__name__})", _AGAIN
        ) from error


def members_of(path: Path) -> dict[str, zipfile.ZipInfo]:
    """Members by name, after bombs are ruled out. Raises DamagedFile.

    torch stores its members uncompressed, once each, one after the other. Anything else
    (deflated, doubled, larger than the file) is refused before a byte is unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_sizes(members, path.stat().st_size)
    except _BROKEN as error:
        raise DamagedFile(
            "a whole checkpoint", f"a damaged zip ({type(error).__name__})", _AGAIN
        ) from error
    return {member.filename: member for member in members}


def check_sums(path: Path) -> None:
    """Every member's CRC-32. Raises DamagedFile."""
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except _BROKEN as error:
        raise DamagedFile(
            "a whole checkpoint", f"a damaged zip ({type(error).__name__})", _AGAIN
        ) from error
    if bad is not None:
        raise DamagedFile("a checkpoint whose checksums agree", "a member that differs", _AGAIN)


_AGAIN = "Copy or download the file again."
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    UnicodeError,
    MemoryError,
    IndexError,
)


def _check_sizes(members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise DamagedFile("a checkpoint", f"a zip of {len(members)} members")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise DamagedFile(
            "a checkpoint stored as torch stores it",
            "a zip with compressed members",
            "Save it again with torch.save.",
        )
    declared = sum(member.file_size for member in members)
    if declared > size:
        raise DamagedFile(f"at most the file's own {size} bytes", f"{declared} declared", _AGAIN)
    if any(member.file_size != member.compress_size for member in members):
        raise DamagedFile("one size for each member", "two that differ", _AGAIN)
    # torch's reader ignores case, Python's does not: both must see the same members.
    if len({member.filename.lower() for member in members}) != len(members):
        raise DamagedFile("a zip with one member of each name", "two of the same name")


def read_member(path: Path, name: str, limit: int = MAX_PICKLE) -> bytes:
    """A small member's bytes. Raises DamagedFile when it is larger than `limit`."""
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(name).file_size > limit:
            raise DamagedFile("a small pickle beside the weights", "one of hundreds of megabytes")
        return archive.read(name)

"""Writing files whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from audit.errors import HipauditError


def write_whole(path: Path, content: bytes | str, mode: int = 0o644) -> Path:
    """Old file or new file, never a torn one: temp file in the same folder, fsync, replace.

    Raises HipauditError when the disk says no (full, read-only, permission).
    """
    with writing_whole(path, mode) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
    return path


@contextmanager
def writing_whole(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """`write_whole` for what is too large to hold: the file appears when the block ends.

    What raises inside leaves no file behind. Raises HipauditError when the disk says no.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:
        _discard(temporary)
        reason = error.strerror or type(error).__name__
        raise HipauditError(
            f"to write {path.name}", reason, "Check free space and permissions, then run again."
        ) from error
    except BaseException:
        _discard(temporary)
        raise


def _discard(temporary: str | None) -> None:
    if temporary is not None and os.path.exists(temporary):
        os.unlink(temporary)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()

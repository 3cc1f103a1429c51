"""What kind of file a checkpoint is (told by its content, not its name), and reading it.

A model file is a program unless shown otherwise. Only weights are read here:
torch.load(weights_only=True), after the file was checked, and never a second try without.
"""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path
from typing import Any, BinaryIO

from audit.checkpoints import pickles
from audit.checkpoints.refusal import SAVE_AGAIN, refused
from audit.checkpoints.text import listed
from audit.checkpoints.zips import check_sums, members_of, names_of, read_member
from audit.errors import DamagedFile, HipauditError, UnsafeFile

MAGIC = {
    b"\x89HDF": "an HDF5 file (Keras)",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"GGUF": "a GGUF file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself (run: git lfs pull)",
    b"<": "a web page or XML",
}
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def kind_of(path: Path) -> str:
    """One of zip, torchscript, pt2, legacy, pickle, safetensors.

    Raises HipauditError for a missing, empty or other file.
    """
    if path.is_dir():
        raise HipauditError(
            "a model file", f"the folder {path.name}", "Name the checkpoint inside it."
        )
    if not path.is_file():
        raise HipauditError("a model file", f"no file named {path.name}", "Check the path.")
    with path.open("rb") as stream:
        head = stream.read(64)
    if not head:
        raise DamagedFile("a model file", f"{path.name}, which is empty")
    if head[:2] == b"PK":
        return _zip_kind(path)
    if head[:1] == b"\x80":
        return _pickle_kind(path)
    if len(head) > 9 and head[8:9] == b"{" and _header(head) <= path.stat().st_size:
        return "safetensors"
    found = next((words for magic, words in MAGIC.items() if head.startswith(magic)), "other bytes")
    raise HipauditError("a checkpoint of torch or safetensors", f"{path.name}, {found}", SAVE_AGAIN)


def _header(head: bytes) -> int:
    return int(struct.unpack("<Q", head[:8])[0])


def _zip_kind(path: Path) -> str:
    names = names_of(path)
    ends = {name.partition("/")[2] for name in names}
    if "constants.pkl" in ends or any(end.startswith("code/") for end in ends):
        return "torchscript"
    if "archive_format" in ends | set(names) or any("models/" in name for name in names):
        return "pt2"
    if "data.pkl" not in ends:
        raise HipauditError(
            "a checkpoint of torch", f"{path.name}, another kind of zip", SAVE_AGAIN
        )
    return "zip"


def _pickle_kind(path: Path) -> str:
    """A file of torch before 1.6 starts with a pickled magic number; others are bare pickles."""
    with path.open("rb") as stream:
        start = stream.read(32)
    return "legacy" if pickle.dumps(LEGACY_MAGIC, 2)[2:12] in start else "pickle"


def read_content(path: Path, kind: str, digest: str) -> Any:
    """The mapping a checkpoint holds. Raises UnsafeFile for what would run code, DamagedFile."""
    if kind == "safetensors":
        return _read_safetensors(path)
    if kind in ("torchscript", "pt2"):
        what = {"torchscript": "a TorchScript program", "pt2": "an exported program (.pt2)"}[kind]
        raise refused(what, digest)
    if kind == "zip":
        _check_zip(path, digest)
    elif kind == "legacy":
        _check_legacy(path, digest)
    else:
        raise refused(f"a bare pickle{_naming(path)}", digest)
    return _load(path)


def _check_zip(path: Path, digest: str) -> None:
    check_sums(path)
    members = members_of(path)
    pickled = [name for name in members if name.partition("/")[2] == "data.pkl"]
    if len(pickled) != 1:
        raise DamagedFile("a checkpoint with one data.pkl", f"{len(pickled)} of them")
    found = _storages(io.BytesIO(read_member(path, pickled[0])), digest)
    folder = pickled[0].removesuffix("data.pkl")
    for storage in found.values():
        member = members.get(f"{folder}data/{storage.key}")
        if member is None or member.file_size != storage.item * storage.count:
            raise DamagedFile("a checkpoint with all its weights", "weights of another length")


def _check_legacy(path: Path, digest: str) -> None:
    """Magic number, protocol, system, content, keys: five pickles, then the numbers."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        for _ in range(3):
            pickles.require_protocol_2(stream)
            pickles.names_in(stream)
        found = _storages(stream, digest)
        pickles.require_protocol_2(stream)
        if pickles.names_in(stream):
            raise refused("code among the keys of the weights", digest)
        left = size - stream.tell()
    declared = sum(s.item * s.count + 8 for s in found.values())
    if declared != left:
        raise DamagedFile(
            f"a checkpoint with {declared} bytes of weights", f"{left}", "Copy the file again."
        )


def _storages(stream: BinaryIO, digest: str) -> dict[str, pickles.Storage]:
    """Storages of the pickle at hand, once it is known to name nothing but plain parts."""
    start = stream.tell()
    unsafe = pickles.names_in(stream)
    if unsafe:
        raise refused(f"code: it names {listed(unsafe)}", digest)
    stream.seek(start)
    pickles.require_protocol_2(stream)
    return pickles.storages_in(stream)


def _naming(path: Path) -> str:
    with path.open("rb") as stream:
        unsafe = pickles.names_in(stream)
    return f" that names {listed(unsafe)}" if unsafe else ""


def _load(path: Path) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeFile(
            "a file of weights", "something torch refuses to read as weights", SAVE_AGAIN
        ) from error
    except (RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(error) from error
    except (OSError, IndexError, AssertionError, OverflowError, MemoryError) as error:
        raise _unreadable(error) from error


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except (SafetensorError, ValueError, KeyError, OSError, RuntimeError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> DamagedFile:
    return DamagedFile(
        "a readable checkpoint", f"a damaged one ({type(error).__name__})", "Copy the file again."
    )

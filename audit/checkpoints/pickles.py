"""Reading a pickle without running it: what it names, and how much memory it declares.

The pickle inside a checkpoint is replayed with inert stand-ins for everything it names, so
that unsafe names and impossible sizes are known before torch sees the file.
"""

from __future__ import annotations

import pickle
import pickletools
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, BinaryIO

from audit.checkpoints.refusal import SAVE_AGAIN
from audit.checkpoints.text import quoted
from audit.errors import DamagedFile, UnsafeFile

# All that a state_dict, a training checkpoint of plain values, or our own file needs.
HARMLESS = {
    "collections.OrderedDict",
    "collections.Counter",
    "builtins.set",
    "builtins.complex",
    "_codecs.encode",
    "torch.Size",
    "torch.device",
    "torch.Tensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch.nn.parameter.Parameter",
    "torch.storage.UntypedStorage",
    "torch.storage.TypedStorage",
    "torch.serialization._get_layout",
}
BYTES = {
    "Double": 8,
    "Float": 4,
    "Half": 2,
    "BFloat16": 2,
    "Long": 8,
    "Int": 4,
    "Short": 2,
    "Char": 1,
    "Byte": 1,
    "Bool": 1,
}
# Opcodes that allocate what they merely declare, or that build objects in ways no
# state_dict uses.
BARRED = {"BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER", "EXT1", "EXT2", "EXT4", "INST", "OBJ"}
MAX_OPCODES = 20_000_000


@dataclass(frozen=True)
class Storage:
    """A block of numbers that a pickle refers to: its key, item size and declared count."""

    key: str
    item: int
    count: int


def is_harmless(name: str) -> bool:
    module, _, last = name.rpartition(".")
    if module == "torch" and last.removesuffix("Storage") in BYTES:
        return True
    return name in HARMLESS or (module == "torch" and last in _DTYPES)


_DTYPES = {
    *("float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8"),
    *("bool", "half", "float", "double", "long", "int", "short", "strided"),
}


class _Stand:
    """An inert stand-in: may be called, given state or items, and does nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *_: Any) -> Any:
        return OrderedDict() if self.name == "collections.OrderedDict" else _Stand(f"{self.name}()")

    def __setstate__(self, _: Any) -> None: ...
    def __setitem__(self, _: Any, __: Any) -> None: ...
    def append(self, _: Any) -> None: ...
    def extend(self, _: Any) -> None: ...
    def add(self, _: Any) -> None: ...
    def update(self, *_: Any) -> None: ...


class _Rebuild(_Stand):
    """Stands for torch's tensor constructors: checks the declared extent."""

    def __call__(self, *args: Any) -> Any:
        if len(args) >= 4 and isinstance(args[0], Storage):
            check_extent(*args[:4])
        return _Stand("tensor")


def check_extent(storage: Any, offset: Any, size: Any, stride: Any) -> None:
    """A tensor must lie inside its storage and have as many numbers there as it shows.

    Raises DamagedFile: a stride of 0 makes a terabyte of one number.
    """
    whole = isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)
    numbers = [*size, *stride, offset] if whole else [None]
    if not all(isinstance(n, int) and n >= 0 for n in numbers):
        raise DamagedFile("tensors of plain sizes", "other values in their place")
    count, last = 1, offset
    for length, step in zip(size, stride, strict=True):
        count *= length
        last += (length - 1) * step
    if count and (last >= storage.count or count > storage.count):
        raise DamagedFile(
            "tensors no larger than their data",
            f"one that declares {count} numbers over {storage.count}",
            "The file is damaged or made to exhaust memory; do not use it.",
        )


class _Replayer(pickle._Unpickler):
    # The pure-Python unpickler: its memo is a mapping, so a forged index allocates nothing.
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream, encoding="utf-8")
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        full = _full(module, name)
        if not is_harmless(full):
            raise UnsafeFile("a file of weights", f"code: {quoted(full)}", SAVE_AGAIN)
        kind = _Rebuild if full.startswith("torch._utils._rebuild_tensor") else _Stand
        return kind(full)

    def persistent_load(self, pid: Any) -> Any:
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage"):
            return _Stand("persistent")
        name, key, count = getattr(pid[1], "name", ""), str(pid[2]), pid[4]
        item = BYTES.get(name.removeprefix("torch.").removesuffix("Storage"), 1)
        if not isinstance(count, int) or count < 0:
            raise DamagedFile("storages of plain sizes", "another value in their place")
        storage = Storage(key, item, count)
        known = self.storages.setdefault(key, storage)
        if known != storage:
            raise DamagedFile("one size per storage", "two for the same")
        return storage


def names_in(stream: BinaryIO) -> list[str]:
    """Everything one pickle names that no plain checkpoint does, sorted. Nothing is built.

    Leaves the stream after the pickle. Raises DamagedFile, and UnsafeFile for opcodes that
    no checkpoint needs.
    """
    names: set[str] = set()
    words: list[str] = ["?", "?"]  # the strings last pushed, for STACK_GLOBAL
    memo: dict[object, str] = {}
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if opcode.name in BARRED:
                raise UnsafeFile("a file of weights", f"opcode {opcode.name}", SAVE_AGAIN)
            if count > MAX_OPCODES:
                raise DamagedFile("a checkpoint of plain weights", "an endless pickle")
            if opcode.name == "GLOBAL":
                names.add(_full(*str(argument).split(" ", 1)))
            elif opcode.name == "STACK_GLOBAL":
                names.add(_full(*words[-2:]))
            elif isinstance(argument, str):
                words.append(argument)
            elif "GET" in opcode.name:
                words.append(memo.get(argument, "?"))
            elif opcode.name == "MEMOIZE" or "PUT" in opcode.name:
                memo[len(memo) if argument is None else argument] = words[-1]
    except (*_BROKEN, pickle.UnpicklingError) as error:
        raise DamagedFile("a readable checkpoint", f"a broken pickle ({_kind(error)})") from error
    return sorted(name for name in names if not is_harmless(name))


def _full(module: str, name: str = "?") -> str:
    return f"{module}.{name}".replace("__builtin__.", "builtins.")


def require_protocol_2(stream: BinaryIO) -> None:
    """torch reads no other protocol with weights_only. Leaves the stream where it is."""
    start = stream.tell()
    head = stream.read(2)
    stream.seek(start)
    if head != b"\x80\x02":
        raise DamagedFile(
            "a checkpoint in pickle protocol 2, as torch saves",
            "another protocol",
            "Save it again with torch.save and no pickle_protocol.",
        )


def storages_in(stream: BinaryIO) -> dict[str, Storage]:
    """The storages one pickle refers to, its tensors checked against them.

    Only for a pickle whose names were found harmless. Raises DamagedFile.
    """
    reader = _Replayer(stream)
    try:
        reader.load()
    except (pickle.UnpicklingError, *_BROKEN) as error:
        raise DamagedFile("a readable checkpoint", f"a broken pickle ({_kind(error)})") from error
    return reader.storages


# What a damaged pickle can make the standard library's reader raise.
_BROKEN = (
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    AssertionError,
    UnicodeError,
    RecursionError,
    MemoryError,
)


def _kind(error: BaseException) -> str:
    return type(error).__name__

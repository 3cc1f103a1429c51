"""Units on disk: content-addressed, checked on reading, written whole."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audit.evidence import Rows
from audit.files import write_whole

_COLUMNS = ("case", "variant", "logits", "referred", "success", "success_8bit", "queries")


@dataclass(frozen=True)
class Unit:
    """What one unit computed. `rows.case` counts within the unit's own cases."""

    rows: Rows
    forwards: int


@dataclass(frozen=True)
class Store:
    """A folder of units. `read` is False for --no-resume: everything is computed again."""

    folder: Path
    read: bool = True

    def load(self, key: str) -> Unit | None:
        """The unit, or None when it is absent, truncated or altered (then it is recomputed)."""
        path = self.folder / f"{key}.unit"
        if not self.read or not path.is_file():
            return None
        head, _, body = path.read_bytes().partition(b"\n")
        if head != _seal(key, body):
            return None
        return _decode(body)

    def save(self, key: str, unit: Unit) -> None:
        body = _encode(unit)
        write_whole(self.folder / f"{key}.unit", _seal(key, body) + b"\n" + body, mode=0o600)


def unit_key(parts: Mapping[str, Any]) -> str:
    """Hash of everything that can change a unit; sorted JSON, so order does not matter."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _seal(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + body).hexdigest().encode()


def _encode(unit: Unit) -> bytes:
    rows = unit.rows
    words = {
        "variants": [dict(v) for v in rows.variants],
        "found": [dict(f) for f in rows.found],
        "forwards": unit.forwards,
    }
    text = np.frombuffer(json.dumps(words, default=_scalar).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, words=text, **{name: getattr(rows, name) for name in _COLUMNS})
    return buffer.getvalue()


def _scalar(value: object) -> object:
    """NumPy scalars that a stress left in `found`."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"found holds a {type(value).__name__}; expected text or a number")


def _decode(body: bytes) -> Unit:
    with np.load(io.BytesIO(body), allow_pickle=False) as stored:
        words = json.loads(stored["words"].tobytes())
        columns = {name: stored[name] for name in _COLUMNS}
    rows = Rows(**columns, variants=tuple(words["variants"]), found=tuple(words["found"]))
    return Unit(rows, words["forwards"])

"""Recognising a torchvision architecture from the names and shapes of its tensors.

The table (signatures.json) is written by make_signatures.py. It holds hashes, no tensors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from audit.checkpoints.layout import AUXILIARY, HEAD_NAMES

Shapes = Mapping[str, tuple[int, ...]]
TABLE = Path(__file__).with_name("signatures.json")
SKETCH = 48
# Before torchvision 0.3 DenseNet's layers were named norm.1, conv.1; hub files still are.
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")


@dataclass(frozen=True, slots=True)
class Match:
    """An architecture found. `by`: "keys" (torchvision's names), "fastai" (0.* body names) or
    "sequence" (names unknown, shapes in order). `body`: the checkpoint's keys of the body, in
    the architecture's order for "sequence".
    """

    architecture: str
    by: str
    channels: int
    body: tuple[str, ...]


@cache
def table() -> dict[str, dict[str, Any]]:
    """Architecture -> its row as make_signatures.py writes it."""
    found: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def body_of(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Without heads, auxiliary outputs and BatchNorm's counters."""
    return {
        key: shape
        for key, shape in shapes.items()
        if key.split(".")[0] not in (*HEAD_NAMES, *AUXILIARY) and counts(key)
    }


def counts(key: str) -> bool:
    """Older checkpoints have no num_batches_tracked, so it tells nothing."""
    return not key.endswith("num_batches_tracked")


def lines(shapes: Shapes) -> list[str]:
    return sorted(f"{key}:{_by(shape)}" for key, shape in shapes.items())


def digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:24]


def in_order(shapes: Sequence[tuple[int, ...]]) -> str:
    return digest([_by(shape) for shape in shapes])


def sketch(texts: Sequence[str]) -> list[str]:
    """The smallest hashes of a set: enough to estimate how much two sets share (MinHash)."""
    return sorted(hashlib.sha256(text.encode()).hexdigest()[:8] for text in texts)[:SKETCH]


def recognise(shapes: Shapes) -> Match | None:
    """The architecture whose body these shapes are, whatever the head; None when there is none."""
    return _by_keys(shapes) or _by_sequence(shapes)


def nearest(shapes: Shapes) -> str:
    """The architecture that shares most (name, shape) pairs, by sketch."""
    mine = set(sketch(lines(body_of(shapes))))
    fastai = set(sketch(lines(_under_zero(shapes))))

    def shared(name: str) -> int:
        row = table()[name]
        return max(len(mine & set(row["sketch"])), len(fastai & set(row.get("fastai_sketch", []))))

    return max(sorted(table()), key=shared)


def _by_keys(shapes: Shapes) -> Match | None:
    for kind, body in (("keys", body_of(shapes)), ("fastai", _under_zero(shapes))):
        stems = {str(row[f"{kind}_stem"]) for row in table().values() if f"{kind}_stem" in row}
        grey = {key for key in stems & set(body) if body[key][1:2] == (1,)}
        wide = {key: _three(shape) if key in grey else shape for key, shape in body.items()}
        wanted = digest(lines(wide))
        for name, row in table().items():
            if row.get(kind) == wanted:
                channels = 1 if row[f"{kind}_stem"] in grey else 3
                return Match(name, kind, channels, tuple(body))
    return None


def _by_sequence(shapes: Shapes) -> Match | None:
    """The longest architecture whose shapes, in order, the checkpoint starts with."""
    items = [(key, shape) for key, shape in shapes.items() if counts(key)]
    if not items or len(items[0][1]) != 4:
        return None
    channels = items[0][1][1]
    if channels not in (1, 3):
        return None
    sequence = [_three(items[0][1]), *(shape for _, shape in items[1:])]
    fits = [
        (row["count"], name)
        for name, row in table().items()
        if "fastai" in row
        and row["count"] <= len(sequence)
        and in_order(sequence[: row["count"]]) == row["sequence"]
    ]
    if not fits:
        return None
    count, name = max(fits)
    return Match(name, "sequence", channels, tuple(key for key, _ in items[:count]))


def _under_zero(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    return {k: s for k, s in shapes.items() if k.startswith("0.") and counts(k)}


def _three(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], 3, *shape[2:])


def _by(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)

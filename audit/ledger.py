"""Rows as they come in, a block of images at a time; turned into arrays once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from audit.classifier import Output
from audit.evidence import Rows
from audit.results import Scalar

NOTHING: Mapping[str, Scalar] = {}
Flags = tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]


@dataclass
class Ledger:
    """`width`: number of classes. A block is what was entered together."""

    width: int
    blocks: list[dict[str, npt.NDArray[np.generic]]] = field(default_factory=list)
    found: list[Mapping[str, Scalar]] = field(default_factory=list)
    variants: dict[tuple[tuple[str, Scalar], ...], int] = field(default_factory=dict)

    def enter(
        self,
        cases: Sequence[int],
        output: Output,
        variants: Sequence[Mapping[str, Scalar]] = (),
        flags: Flags | None = None,
        queries: Sequence[int] | None = None,
        found: Sequence[Mapping[str, Scalar]] = (),
    ) -> None:
        """One row per case: what was said of it under its variant. No flags: not an attack."""
        each = variants or [NOTHING] * len(cases)
        numbers = [self.variants.setdefault(tuple(v.items()), len(self.variants)) for v in each]
        unknown = np.full(len(cases), -1)
        success, success_8bit = (unknown, unknown) if flags is None else flags
        self.blocks.append(
            {
                "case": np.asarray(cases, np.int64),
                "variant": np.asarray(numbers, np.int64),
                "logits": output.logits.numpy().astype(np.float32),
                "referred": output.referred.numpy().astype(np.bool_),
                "success": np.asarray(success, np.int8),
                "success_8bit": np.asarray(success_8bit, np.int8),
                "queries": np.asarray(unknown if queries is None else queries, np.int64),
            }
        )
        self.found += list(found) or [NOTHING] * len(cases)

    def absorb(self, other: Ledger) -> None:
        """The rows of another ledger after these."""
        keys = list(other.variants)
        place = np.array(
            [self.variants.setdefault(key, len(self.variants)) for key in keys], np.int64
        )
        self.blocks += [{**b, "variant": place[b["variant"].astype(int)]} for b in other.blocks]
        self.found += other.found

    def rows(self) -> Rows:
        blocks = self.blocks or [self._nothing()]
        columns = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
        variants = tuple(dict(key) for key in self.variants)
        return Rows(**columns, variants=variants, found=tuple(self.found))

    def _nothing(self) -> dict[str, npt.NDArray[np.generic]]:
        return {
            "case": np.zeros(0, np.int64),
            "variant": np.zeros(0, np.int64),
            "logits": np.zeros((0, self.width), np.float32),
            "referred": np.zeros(0, np.bool_),
            "success": np.zeros(0, np.int8),
            "success_8bit": np.zeros(0, np.int8),
            "queries": np.zeros(0, np.int64),
        }

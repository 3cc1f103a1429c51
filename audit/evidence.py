"""Predictions: the one table, a row per case × run × variant. Everything else is a view of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from audit.decision import Decision, decide
from audit.results import PlannedRun, Scalar


@dataclass(frozen=True)
class Subject:
    """What the table knows of a case: no pixels, no path."""

    id: str
    target: int
    patient: str | None
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Rows:
    """Columns of equal length R. What a unit stores and what Predictions is made of.

    `case` index into subjects; `variant` index into `variants`; `logits` (R, K) float32;
    `referred` bool; `success`, `success_8bit`: 1 fooled, 0 not, -1 not an attack (float32
    re-verified; re-verified after rounding the prepared input to 8 bits); `queries`:
    forwards spent on this row inside the stress, -1 unknown; `found`: what was found.

    An attack has rows only for cases that were decided correctly without it.
    """

    case: npt.NDArray[np.int64]
    variant: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float32]
    referred: npt.NDArray[np.bool_]
    success: npt.NDArray[np.int8]
    success_8bit: npt.NDArray[np.int8]
    queries: npt.NDArray[np.int64]
    variants: tuple[Mapping[str, Scalar], ...]
    found: tuple[Mapping[str, Scalar], ...]

    def __len__(self) -> int:
        return len(self.case)


@dataclass(frozen=True)
class RunEvidence:
    """The rows of one run. `sample`: indices of the subjects it covered, clean-wrong included."""

    run: PlannedRun
    sample: npt.NDArray[np.int64]
    rows: Rows
    level_variants: bool = True
    search_variants: bool = False


@dataclass(frozen=True)
class Predictions:
    """All evidence of an audit. `clean(defence)` is the run with stress "clean"."""

    subjects: tuple[Subject, ...]
    classes: tuple[str, ...]
    decision: Decision
    runs: tuple[RunEvidence, ...] = field(default_factory=tuple)

    @cached_property
    def targets(self) -> npt.NDArray[np.int64]:
        """(N,) class index of each subject."""
        return np.array([subject.target for subject in self.subjects], dtype=np.int64)

    def clean(self, defence: str = "none") -> RunEvidence:
        for evidence in self.runs:
            if evidence.run.kind == "clean" and evidence.run.defence == defence:
                return evidence
        raise KeyError(f"no clean run under defence {defence!r}")

    def clean_logits(self, defence: str = "none") -> npt.NDArray[np.float32]:
        """(N, K) logits of every subject without stress."""
        rows = self.clean(defence).rows
        out = np.full((len(self.subjects), rows.logits.shape[1]), np.nan, dtype=np.float32)
        out[rows.case] = rows.logits
        return out

    def clean_correct(self, defence: str = "none") -> npt.NDArray[np.bool_]:
        """(N,) decided correctly without stress."""
        return np.asarray(self.decided(self.clean_logits(defence)) == self.targets)

    def decided(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        return decide(logits, self.decision)


_NOTHING = Rows(
    case=np.zeros(0, np.int64),
    variant=np.zeros(0, np.int64),
    logits=np.zeros((0, 2), np.float32),
    referred=np.zeros(0, np.bool_),
    success=np.zeros(0, np.int8),
    success_8bit=np.zeros(0, np.int8),
    queries=np.zeros(0, np.int64),
    variants=(),
    found=(),
)


def join(parts: Sequence[Rows]) -> Rows:
    """Rows of several units of one run, in one order that does not depend on the units."""
    if not parts:
        return _NOTHING
    names = sorted({_key(v) for part in parts for v in part.variants})
    table = {_key(v): v for part in parts for v in part.variants}
    place = {name: index for index, name in enumerate(names)}
    variant = np.concatenate(
        [np.array([place[_key(v)] for v in p.variants], np.int64)[p.variant] for p in parts]
    )
    case = np.concatenate([part.case for part in parts])
    order = np.lexsort((variant, case))
    found = [item for part in parts for item in part.found]

    def column(name: str) -> npt.NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    return Rows(
        case=case[order],
        variant=variant[order],
        logits=column("logits"),  # type: ignore[arg-type]
        referred=column("referred"),  # type: ignore[arg-type]
        success=column("success"),  # type: ignore[arg-type]
        success_8bit=column("success_8bit"),  # type: ignore[arg-type]
        queries=column("queries"),  # type: ignore[arg-type]
        variants=tuple(table[name] for name in names),
        found=tuple(found[index] for index in order),
    )


def _key(variant: Mapping[str, Scalar]) -> tuple[tuple[str, Scalar], ...]:
    return tuple(variant.items())

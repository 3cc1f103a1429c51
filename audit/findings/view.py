"""A View: what one defence decided at one level of one stress, ready to be counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from audit.decision import margin
from audit.evidence import Predictions
from audit.results import Scalar

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Label:
    """What a finding says about where its number comes from."""

    stress: str
    defence: str
    kind: str
    params: Mapping[str, Scalar]
    variant: str = ""
    norm: str | None = None


@dataclass(frozen=True)
class View:
    """Columns of equal length n, one entry per sampled case.

    `cases`: index into the subjects. `correct`: exact class. `score`: log-odds of the positive
    class; a case without finite output scores as badly as its truth allows. `kept`: correct
    without stress and under it. `fooled`, `fooled_8bit`: None where not an attack or unknown.
    `share`: correct share over several variants, for an average. `everyone_only`: no subgroups.
    `kept_only`: several attacks at once, of which only `kept`, `fooled`, `unseen` and
    `surely_wrong` have a meaning.
    `confidence`: log-odds of the decided class, -inf where not finite. `unseen`: wrong and not
    referred, in some variant. `surely_wrong`: the highest confidence at which that happened,
    -inf where it did not. `refers`: this defence hands cases to a human.
    """

    label: Label
    cases: Ints
    decided: Ints
    score: Floats
    correct: Bools
    clean_correct: Bools
    kept: Bools
    finite: Bools
    referred: Bools
    confidence: Floats
    unseen: Bools
    surely_wrong: Floats
    refers: bool = False
    fooled: Bools | None = None
    fooled_8bit: Bools | None = None
    share: Floats | None = None
    everyone_only: bool = False
    kept_only: bool = False

    @cached_property
    def rank(self) -> Ints:
        """(n,) dense ranks of the scores: in the same order, and quicker to count."""
        return np.asarray(np.unique(self.score, return_inverse=True)[1], np.int64)

    def only(self, cases: Ints) -> View:
        """The same view of some of its cases, in the order given."""
        order = np.argsort(self.cases, kind="stable")
        at = order[np.searchsorted(self.cases[order], cases)]
        names = [field.name for field in fields(self)]
        columns = {n: getattr(self, n) for n in names if isinstance(getattr(self, n), np.ndarray)}
        return replace(self, **{name: column[at] for name, column in columns.items()})


@dataclass(frozen=True)
class Gap:
    """A level that should be there and is not: every number of it is missing for `reason`."""

    label: Label
    reason: str


def scores(predictions: Predictions, cases: Ints, logits: npt.NDArray[np.float32]) -> Floats:
    """Log-odds of the positive class (n,); not finite = ranked on the wrong side of everything."""
    positive = predictions.decision.positive
    finite = finite_rows(logits)
    worst = np.where(predictions.targets[cases] == positive, -np.inf, np.inf)
    usable = np.where(finite[:, None], logits, 0.0)
    return np.asarray(np.where(finite, margin(usable, positive), worst))


def confidence(logits: npt.NDArray[np.float32], decided: Ints) -> Floats:
    """(n, K) logits -> (n,) log-odds of the decided class against all others.

    It does not saturate as a probability does; -inf where nothing was decided.
    """
    z = np.where(np.isfinite(logits), logits, 0.0).astype(np.float64)
    row = np.arange(len(z))
    chosen = np.maximum(decided, 0)
    others = z.copy()
    others[row, chosen] = -np.inf
    top = others.max(axis=1)
    rest = np.log(np.exp(others - top[:, None]).sum(axis=1)) + top  # as in `margin`
    return np.where(decided >= 0, z[row, chosen] - rest, -np.inf)


def finite_rows(logits: npt.NDArray[np.float32]) -> Bools:
    """(n, K) -> (n,) whether the whole output is finite."""
    return np.asarray(np.isfinite(logits).all(axis=1))

"""Tables of predictions built by hand, small enough to count on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audit.decision import Decision
from audit.evidence import Predictions, Rows, RunEvidence, Subject
from audit.results import Finding, PlannedRun


def rows(
    cases: Sequence[int],
    logits: Any,
    variants: Sequence[dict[str, Any]] = ({},),
    variant: Sequence[int] | None = None,
    success: Sequence[int] | None = None,
    success_8bit: Sequence[int] | None = None,
) -> Rows:
    count = len(cases)
    none = [-1] * count
    return Rows(
        case=np.array(cases, np.int64),
        variant=np.array(variant if variant is not None else [0] * count, np.int64),
        logits=np.array(logits, np.float32),
        referred=np.zeros(count, bool),
        success=np.array(none if success is None else success, np.int8),
        success_8bit=np.array(none if success_8bit is None else success_8bit, np.int8),
        queries=np.full(count, -1, np.int64),
        variants=tuple(variants),
        found=tuple({} for _ in range(count)),
    )


def evidence(table: Rows, sample: Sequence[int], stress: str = "clean", **more: Any) -> RunEvidence:
    flags = {k: more.pop(k) for k in ("level_variants", "search_variants") if k in more}
    kind = more.pop("kind", "clean" if stress == "clean" else "attack")
    more.setdefault("state", "done")
    run = PlannedRun(
        id=f"{stress}", stress=stress, kind=kind, sample=len(sample), of=len(sample), **more
    )
    return RunEvidence(run, np.array(sample, np.int64), table, **flags)


def says(called: Sequence[int]) -> np.ndarray:
    """Logits of a two-class model that calls these classes."""
    return np.eye(2)[list(called)] * 4 - 2


def one(found: list[Finding], metric: str, **where: Any) -> Finding:
    hits = [f for f in found if f.metric == metric]
    for key, value in where.items():
        hits = [f for f in hits if getattr(f, key) == value]
    assert len(hits) == 1, [(f.params, f.group, f.variant, f.contrast) for f in hits]
    return hits[0]


def table(
    targets: Sequence[int],
    called: Sequence[int],
    *runs: RunEvidence,
    patients: Sequence[str | None] | None = None,
    attributes: Sequence[Mapping[str, str]] | None = None,
) -> Predictions:
    """Two classes, the second positive; a clean run that calls `called`; more runs as given."""
    count = len(targets)
    who = patients or [None] * count
    what = attributes or [{}] * count
    subjects = tuple(
        Subject(f"c{i:04d}", t, p, a)
        for i, (t, p, a) in enumerate(zip(targets, who, what, strict=True))
    )
    clean = evidence(rows(range(count), says(called)), range(count))
    return Predictions(subjects, ("normal", "fracture"), Decision(1), (clean, *runs))


def attack(
    targets: Sequence[int],
    called: Sequence[int],
    fooled: set[int],
    stress: str = "fgsm",
    epsilon: float | None = 2 / 255,
    sample: Sequence[int] | None = None,
    eight: set[int] | None = None,
    **more: Any,
) -> RunEvidence:
    """An attack on two classes that fools the cases in `fooled`, and in 8 bits those in `eight`."""
    seen = range(len(targets)) if sample is None else sample
    right = [i for i in seen if targets[i] == called[i]]
    assert fooled <= set(right) or sample is not None
    hit = [int(i in fooled) for i in right]
    kept8 = [int(i in (fooled if eight is None else eight)) for i in right]
    said = [1 - targets[i] if h else targets[i] for i, h in zip(right, hit, strict=True)]
    variant = {} if epsilon is None else {"epsilon": epsilon}
    more.setdefault("norm", "linf" if epsilon is not None else None)
    more.setdefault("params", {} if epsilon is None else {"epsilons": [epsilon]})
    return evidence(
        rows(right, says(said), (variant,), None, hit, kept8), list(seen), stress, **more
    )

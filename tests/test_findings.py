"""derive: every number against a count made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from audit.decision import Decision
from audit.evidence import Predictions, Rows, RunEvidence, Subject
from audit.findings import derive
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
        logits=np.array(logits, np.float32).reshape(count, -1),
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


TARGETS = [1] * 20 + [0] * 30
CALLED = [1] * 15 + [0] * 5 + [0] * 24 + [1] * 6
VIEWS = (["frontal"] * 10 + ["lateral"] * 10) + ["frontal"] * 25 + ["lateral"] * 5


def subjects(patients: Sequence[str | None] | None = None) -> tuple[Subject, ...]:
    who = patients or [None] * 50
    return tuple(
        Subject(f"c{i:03d}", t, p, {"view": v})
        for i, (t, p, v) in enumerate(zip(TARGETS, who, VIEWS, strict=True))
    )


def audit(*runs: RunEvidence, patients: Sequence[str | None] | None = None) -> Predictions:
    clean = evidence(rows(range(50), says(CALLED)), range(50))
    return Predictions(subjects(patients), ("normal", "fracture"), Decision(1), (clean, *runs))


def test_clean_rates_equal_the_hand_count_with_exact_binomial_limits() -> None:
    found = derive(audit(), None, 0)
    expected = {
        "accuracy": (39, 50),
        "sensitivity": (15, 20),
        "specificity": (24, 30),
        "precision": (15, 21),
    }
    for metric, (events, n) in expected.items():
        hit = one(found, metric, group={}, contrast=None)
        limits = binomtest(events, n).proportion_ci(method="exact")
        assert (hit.events, hit.n, hit.value) == (events, n, pytest.approx(events / n))
        assert (hit.low, hit.high) == (pytest.approx(limits.low), pytest.approx(limits.high))
        assert hit.method == "Clopper-Pearson"
    assert one(found, "f1", group={}).value == pytest.approx(2 * 15 / (2 * 15 + 6 + 5))


def test_a_view_with_fewer_than_ten_negatives_gets_a_reason_and_no_specificity() -> None:
    hit = one(derive(audit(), None, 0), "specificity", group={"view": "lateral"}, contrast=None)
    assert (hit.value, hit.low, hit.method) == (None, None, None)
    assert (hit.reason, hit.n) == ("fewer than 10 negatives", 5)


def test_under_attack_the_cases_it_left_alone_keep_their_clean_decision() -> None:
    right = [i for i in range(50) if TARGETS[i] == CALLED[i]]
    fooled = set(right[:6]) | set(right[-4:])
    called = [1 - TARGETS[i] if i in fooled else TARGETS[i] for i in right]
    flags = [int(i in fooled) for i in right]
    table = rows(right, says(called), ({"epsilon": 0.5},), None, flags, flags)
    run = evidence(table, range(50), "fgsm", norm="linf", params={"epsilons": [0.5]})
    found = [f for f in derive(audit(run), None, 0) if f.stress == "fgsm" and f.group == {}]
    counts = {f.metric: (f.events, f.n) for f in found if f.contrast is None}
    assert counts["accuracy"] == (29, 50)
    assert counts["sensitivity"] == counts["robust_sensitivity"] == (9, 20)
    assert counts["specificity"] == counts["robust_specificity"] == (20, 30)
    assert counts["attack_success"] == (10, 39)
    assert counts["attack_success_8bit"] == (10, 39)
    assert all(f.params == {"epsilon": 0.5} for f in found)

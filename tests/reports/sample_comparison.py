"""A compare.json made by hand, for tests of the report on two audits.

Counts are chosen; base, new, value and p follow from them here, by arithmetic and scipy's binomial
test, and limits by a normal interval: independent of the code under test.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from scipy.stats import binomtest

from audit.compare.results import Audit, Comparison, Difference, Flip, Level, Pairs
from audit.results import Finding, Note, Preparation

POSITIVES, NEGATIVES = 61, 339
VIEWS = {"": (61, 339), "frontal": (36, 201), "lateral": (21, 112), "oblique": (4, 26)}
WEIGHTS = {
    "base": "5c9e5b7f8b2f0c1a77d5e0f1d0a4b9c8e7f6a5b4c3d2e1f00112233445566778",
    "new": "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
}


def difference(
    metric: str, n: int, base: int, lost: int, gained: int, **rest: object
) -> Difference:
    """`base` of `n` are right in BASE, of which NEW loses `lost`; it gains `gained` others."""
    if n < 10:
        return Difference(
            metric=metric, contrast="base", n=n, reason="fewer than 10 positives", **rest
        )  # type: ignore[arg-type]
    value = (gained - lost) / n
    spread = math.sqrt(max(lost + gained - (gained - lost) ** 2 / n, 0.5)) / n
    low, high = value - 1.96 * spread, value + 1.96 * spread
    worse, better = ("better", "worse") if rest.get("lower_is_better") else ("worse", "better")
    off = better if low > 0 else worse if high < 0 else "no difference shown"
    return Difference(
        metric=metric,
        contrast="base",
        n=n,
        base=base / n,
        new=(base - lost + gained) / n,
        value=value,
        low=low,
        high=high,
        method="made by hand",
        p=float(binomtest(lost, lost + gained).pvalue) if lost + gained else 1.0,
        lost=lost,
        gained=gained,
        verdict=off,
        **rest,  # type: ignore[arg-type]
    )


def score(base: float, new: float, half: float, **rest: object) -> Difference:
    value = new - base
    off = "better" if value > half else "worse" if value < -half else "no difference shown"
    return Difference(
        metric="auroc",
        contrast="base",
        n=POSITIVES + NEGATIVES,
        base=base,
        new=new,
        value=value,
        low=value - half,
        high=value + half,
        p=0.2,
        verdict=off,
        **rest,  # type: ignore[arg-type]
    )


def families(found: Iterable[Difference]) -> list[Difference]:
    """`family` and Holm's p over it, by the definition (Holm 1979)."""
    made = list(found)
    names = [
        f"{'by group' if d.group else 'everyone'}, "
        f"{'without stress' if d.stress == 'clean' else 'under stress'}"
        for d in made
    ]
    for family in set(names):
        at = [i for i, d in enumerate(made) if names[i] == family and d.p is not None]
        at.sort(key=lambda i: made[i].p or 0.0)
        highest = 0.0
        for rank, i in enumerate(at):
            highest = max(highest, min(1.0, (len(at) - rank) * (made[i].p or 0.0)))
            made[i] = made[i].model_copy(update={"family": family, "p_holm": highest})
    return made


def clean(**rest: object) -> list[Difference]:
    """Sensitivity fell from 46 to 33 of 61; specificity rose from 312 to 314 of 339."""
    return [
        difference("accuracy", 400, 358, 20, 9, **rest),
        difference("sensitivity", 61, 46, 15, 2, **rest),
        difference("specificity", 339, 312, 5, 7, **rest),
        score(0.894, 0.871, 0.03, **rest),
    ]


def by_view() -> list[Difference]:
    found = []
    for view, base, lost, gained in (
        ("frontal", 31, 2, 1),
        ("lateral", 12, 11, 1),
        ("oblique", 3, 2, 0),
    ):
        positives, negatives = VIEWS[view]
        group = {"view": view}
        found += [
            difference("accuracy", positives + negatives, base + negatives - 9, lost, gained,
                       group=group),
            difference("sensitivity", positives, base, lost, gained, group=group),
            difference("specificity", negatives, negatives - 9, 0, 2, group=group),
        ]  # fmt: skip
    return found


def under_fgsm(steps: int = 3) -> list[Difference]:
    found = []
    for step in range(1, steps + 1):
        params = {"epsilon": step / 255}
        where = {"stress": "fgsm", "params": params}
        found += [
            difference("robust_accuracy", 400, 300 - 60 * step, 10 + step, 4, **where),
            difference("robust_sensitivity", 61, 40 - 9 * step, 6 + step, 1, **where),
            difference("robust_specificity", 339, 260 - 51 * step, 4, 3, **where),
            difference("attack_success", 340, 40 + 60 * step, 3, 9, lower_is_better=True, **where),
        ]
    return found


def level(stress: str, kind: str, **rest: object) -> Level:
    return Level(stress=stress, kind=kind, **rest)  # type: ignore[arg-type]


def levels() -> tuple[Level, ...]:
    fgsm = [
        level("fgsm", "attack", params={"epsilon": e / 255}, cases=400, lost=10 + e, gained=4)
        for e in (1, 2, 3)
    ]
    return (
        level("clean", "clean", cases=400, lost=20, gained=9),
        *fgsm,
        level("pgd", "attack", params={"epsilon": 2 / 255}, reason="only in NEW"),
        level("gamma", "corruption", params={"gamma": 2.0}, reason="in BASE: the run is failed"),
    )


def audit(which: str, **changes: object) -> Audit:
    facts: dict[str, object] = {
        "model": "SqueezeNet 1.1" if which == "base" else "SqueezeNet 1.1, retrained",
        "architecture": "squeezenet1_1",
        "weights": (WEIGHTS[which],),
        "threshold": 0.31 if which == "base" else 0.35,
        "threshold_origin": "checkpoint",
        "data": "FracAtlas val",
        "cases": 400,
        "run_id": f"20261122-{which}",
        "date": "2026-11-22",
        "seed": 7,
        "sha256": ("ab" if which == "base" else "cd") * 32,
        "labels": {"fractured": POSITIVES, "normal": NEGATIVES},
        "data_sha256": "0f" * 32,
        "preset": "standard",
        "preparation": Preparation(),
        "tool_version": "0.1.0",
        "python": "3.11.2",
        "platform": "Linux x86_64",
        "device": "cpu",
        "search": "exact",
        "packages": {"torch": "2.15.0" if which == "base" else "2.16.0", "numpy": "2.4.6"},
        "calibration": (
            Finding(metric="brier", value=0.081, low=0.07, high=0.09, n=400),
            Finding(metric="calibration_slope", value=1.21, low=1.0, high=1.4, n=400),
        ),
    }
    return Audit(**{**facts, **changes})  # type: ignore[arg-type]


def sample_comparison(more: Iterable[Difference] = (), **changes: object) -> Comparison:
    """Two versions on 400 radiographs without patient ids; the new one misses more fractures."""
    facts: dict[str, object] = {
        "tool_version": "0.1.0",
        "base": audit("base"),
        "new": audit("new"),
        "classes": ("fractured", "normal"),
        "positive_class": "fractured",
        "pairs": Pairs(
            paired=400,
            only_base=0,
            only_new=0,
            labels={"fractured": POSITIVES, "normal": NEGATIVES},
        ),
        "subgroups": ("view",),
        "resamples": 2000,
        "levels": levels(),
        "differences": tuple(families([*clean(), *by_view(), *under_fgsm(), *more])),
        "flips": tuple(
            Flip(
                level=0,
                case=f"{at:012x}",
                change="lost",
                label="fractured" if at < 15 else "normal",
                base=2.5 - at / 10,
                new=-3.0 + at / 10,
                group={"view": "lateral"},
            )
            for at in range(20)
        ),
        "notes": (
            Note(
                code="not-compared",
                level="warning",
                text="2 of 6 levels are not compared; each says why.",
            ),
        ),
    }
    return Comparison(**{**facts, **changes})  # type: ignore[arg-type]


def many(count: int) -> list[Difference]:
    """`count` further differences: groups of one attribute, of 40 cases each."""
    return [
        difference("sensitivity", 40, 30, at % 7, at % 5, group={"hospital": f"site {at:03d}"})
        for at in range(count)
    ]


def sample_drop_verdict() -> dict[str, object]:
    """What audit.gate says of two rules on a drop: one met, one not."""

    def rule(
        name: str, outcome: str, metric: str, limit: float, **rest: object
    ) -> dict[str, object]:
        text = f"drop in {metric} from the baseline ≤ {limit:g} (judged by its upper 95% limit)"
        return {"id": name, "metric": metric, "outcome": outcome, "text": text, **rest}

    return {
        "outcome": "fail",
        "gate_file_sha256": "ef" * 32,
        "rules": [
            rule("HA901", "fail", "sensitivity", 0.02, observed=13 / 61, low=0.09, high=0.34, n=61),
            rule("HA902", "pass", "specificity", 0.02, observed=-2 / 339, low=-0.03, high=0.015,
                 n=339),
        ],
    }  # fmt: skip

"""Two audits made by hand: a table of predictions, and the files an audit leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audit.decision import Decision
from audit.evidence import Predictions, RunEvidence, Subject
from audit.export import predictions_csv
from audit.findings import derive
from audit.results import DataDescription, ModelDescription, Plan, Provenance, Results
from tests.tables import evidence, rows, says

CLASSES = ("normal", "fracture")


def subjects(
    targets: Sequence[int],
    patients: Sequence[str | None] | None = None,
    views: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
) -> tuple[Subject, ...]:
    count = len(targets)
    names = ids or [f"c{i:04d}" for i in range(count)]
    who = patients or [None] * count
    seen = [{} if views is None else {"view": view} for view in views or [""] * count]
    return tuple(Subject(*facts) for facts in zip(names, targets, who, seen, strict=True))


def logits(called: Sequence[int], sure: float | Sequence[float] = 2.0) -> np.ndarray:
    """Logits of a model that calls these classes, with log-odds of ± 2 × `sure`."""
    return says(called) / 2 * np.broadcast_to(np.asarray(sure, float), len(called))[:, None]


def predictions(
    known: Sequence[Subject],
    called: Sequence[int],
    *runs: RunEvidence,
    sure: float | Sequence[float] = 2.0,
) -> Predictions:
    everyone = range(len(known))
    clean = evidence(rows(everyone, logits(called, sure)), everyone)
    return Predictions(tuple(known), CLASSES, Decision(1), (clean, *runs))


def results_of(table: Predictions, **changes: Any) -> Results:
    names = [table.classes[subject.target] for subject in table.subjects]
    views = [s.attributes["view"] for s in table.subjects if "view" in s.attributes]
    facts = {
        "model": ModelDescription(
            name="toy",
            architecture="toy",
            classes=table.classes,
            positive_class=table.classes[table.decision.positive],
            threshold=table.decision.threshold,
        ),
        "data": DataDescription(
            layout="arrays",
            cases=len(names),
            labels={name: names.count(name) for name in sorted(set(names))},
            attributes={"view": {v: views.count(v) for v in sorted(set(views))}} if views else {},
        ),
        "plan": Plan(preset="ci", seed=0, runs=tuple(e.run for e in table.runs)),
        "findings": tuple(derive(table, resamples=200)),
        "provenance": Provenance(date="2026-01-01"),
    }
    return Results(**{**facts, **changes})


def written(folder: Path, table: Predictions, **changes: Any) -> Path:
    """audit.json and predictions.csv of a table, as an audit writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.json").write_text(results_of(table, **changes).to_json())
    (folder / "predictions.csv").write_text(predictions_csv(table))
    return folder

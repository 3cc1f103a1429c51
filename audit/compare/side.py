"""One of the two audits: its audit.json, its predictions, and every level that can be compared."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.compare.columns import AGAIN
from audit.compare.rebuild import UNTOLD, read_predictions
from audit.errors import DamagedFile, HipauditError
from audit.evidence import Predictions, RunEvidence
from audit.findings.levels import views
from audit.findings.params import LEVEL_OF
from audit.findings.rates import rates, truth
from audit.findings.view import Gap, Label, View
from audit.findings.worst_case import STRESS as WORST_CASE
from audit.findings.worst_case import worst_cases
from audit.metrics.auroc import auroc
from audit.results import Finding, Results, Scalar, read_results

AUDIT = "audit.json"
PREDICTIONS = "predictions.csv"
Key = tuple[object, ...]
COUNTED = {"clean": "accuracy"}  # the metric whose count must be the one audit.json states
STRESSED = "robust_accuracy"
AUROC = "auroc"
CLOSE = 1e-9  # the same numbers, added in the same order but for the cases


@dataclass(frozen=True)
class Side:
    """`levels`: by what makes two levels the same in two audits. `sha256`: of audit.json."""

    results: Results
    sha256: str
    predictions: Predictions
    levels: Mapping[Key, View | Gap]


def read_side(path: Path, name: str) -> Side:
    """The audit in a folder, or of an audit.json, with the predictions.csv beside it.

    `name`: how messages call it. Raises HipauditError when one of the two is missing, damaged,
    or not of the same audit as the other.
    """
    file = path / AUDIT if path.is_dir() else path
    if not file.is_file():
        raise HipauditError(
            f"an audit.json or its folder as {name}",
            f'nothing at "{path}"' if not path.exists() else f"no {AUDIT} in it",
            "Type: hipaudit compare BASE/audit.json NEW/audit.json",
        )
    results = read_results(file)
    if not (file.parent / PREDICTIONS).is_file():
        raise HipauditError(
            f"{PREDICTIONS} beside {AUDIT} of {name}",
            "none",
            "Copy it there, or run that audit again.",
        )
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return side_of(results, file.parent / PREDICTIONS, digest)


def side_of(results: Results, predictions: Path, sha256: str = "") -> Side:
    """The same for results that were read already. Raises DamagedFile."""
    _check_written_with(results, predictions)
    found = read_predictions(predictions, results)
    levels = dict(levels_of(found))
    check_belongs(results, found, levels)
    return Side(results, sha256, found, levels)


def _check_written_with(results: Results, predictions: Path) -> None:
    """By the hash the audit recorded; one of before there was any has only its numbers."""
    if not results.predictions_sha256:
        return
    with predictions.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != results.predictions_sha256:
        raise DamagedFile(
            f"the {PREDICTIONS} that was written with {AUDIT}",
            "another one, or one that was changed",
            "Copy it from the audit's folder, or run that audit again.",
        )


def levels_of(predictions: Predictions) -> Iterator[tuple[Key, View | Gap]]:
    """Every level but the cells of a map and averages, then the worst cases over attacks."""
    kept: list[View | Gap] = []
    attacks: dict[str, list[RunEvidence]] = {}
    for evidence in predictions.runs:
        if evidence.run.kind == "attack":
            attacks.setdefault(evidence.run.defence, []).append(evidence)
        for view in views(predictions, evidence):
            if isinstance(view, View) and (view.everyone_only or view.share is not None):
                continue
            kept.append(view)
            yield (*run_key(evidence), *_level_key(view.label)), view
    for view in worst_cases(kept):
        runs = attacks.get(view.label.defence, [])
        over = frozenset(run_key(run, levels=view.label.params["norm"] == "any") for run in runs)
        yield (WORST_CASE, view.label.defence, over, *_level_key(view.label)), view


def run_key(evidence: RunEvidence, *, levels: bool = False) -> Key:
    """What two runs must share: stress, defence, whose images, parameters; the list of `levels`
    only where they are put together."""
    run = evidence.run
    params = {name: v for name, v in run.params.items() if levels or name not in LEVEL_OF}
    return run.stress, run.defence, run.surrogate, _frozen(params)


def _level_key(label: Label) -> Key:
    return label.variant, params_key(label.params)


def params_key(params: Mapping[str, Scalar]) -> Key:
    """Parameters so that 2/255 equals itself whichever text it went through."""
    return _frozen(params)


def _frozen(params: Mapping[str, object]) -> Key:
    return tuple(sorted((name, _same(value)) for name, value in params.items()))


def _same(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(map(_same, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return repr(value)
    return f"{value:.8g}"


def check_belongs(
    results: Results, predictions: Predictions, levels: Mapping[Key, View | Gap]
) -> None:
    """Raises DamagedFile unless every level counts, and ranks, as audit.json says it does."""
    stated = {
        place(finding): finding
        for finding in results.findings
        if finding.metric in (*COUNTED.values(), STRESSED, AUROC)
        and not finding.group
        and finding.contrast is None
    }
    clean = False
    for level in levels.values():
        if isinstance(level, Gap) and level.reason == UNTOLD:
            continue
        label = level.label
        counted = stated.get((COUNTED.get(label.stress, STRESSED), *_where(label)))
        if counted is not None and counted.events is not None:
            clean |= label.stress == "clean"
            if _counted(predictions, level, counted.metric) != (counted.events, counted.n):
                raise _foreign(label.stress)
        ranked = stated.get((AUROC, *_where(label)))
        if ranked is not None and ranked.value is not None:
            area = _area(predictions, level)
            if area is None or not math.isclose(area, ranked.value, abs_tol=CLOSE):
                raise _foreign(label.stress)
    if not clean:
        raise _foreign("clean")


def _counted(predictions: Predictions, level: View | Gap, metric: str) -> tuple[int, int]:
    if isinstance(level, Gap):
        return 0, 0
    (rate,) = (rate for rate in rates(predictions, level) if rate.metric == metric)
    return int(rate.part.sum()), int(rate.whole.sum())


def _area(predictions: Predictions, level: View | Gap) -> float | None:
    return None if isinstance(level, Gap) else auroc(level.score, truth(predictions, level))


def place(finding: Finding) -> Key:
    """Where a number of everyone comes from: metric, stress, defence, variant, parameters."""
    return (
        finding.metric,
        finding.stress,
        finding.defence,
        finding.variant,
        params_key(finding.params),
    )


def _where(label: Label) -> Key:
    return label.stress, label.defence, label.variant, params_key(label.params)


def _foreign(stress: str) -> DamagedFile:
    return DamagedFile(
        "predictions.csv of the same audit as audit.json beside it",
        f"other counts or scores (stress {stress})",
        AGAIN,
    )

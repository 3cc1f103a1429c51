"""From the columns of a predictions.csv to the table of predictions the audit had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audit.compare.columns import AGAIN, as_it_was, damaged, read_variant
from audit.compare.read import Columns, read_columns
from audit.compare.sample import sample_of
from audit.decision import Decision
from audit.errors import DamagedFile
from audit.evidence import Predictions, Rows, RunEvidence, Subject
from audit.results import PlannedRun, Results

Ints = npt.NDArray[np.int64]
UNTOLD = "which cases it was shown cannot be told from predictions.csv"


def read_predictions(path: Path, results: Results) -> Predictions:
    """The table of predictions behind `results`, from the file that lies beside its audit.json.

    Subjects stand in the order of their ids. `queries` and `found` are not read. Raises
    DamagedFile when the file is not whole or not of this audit.
    """
    columns = read_columns(path, results)
    order = np.argsort(np.array(columns.cases))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    subjects = tuple(_subject(columns, int(at), results.model.classes) for at in order)
    model = results.model
    decision = Decision(
        model.classes.index(model.positive_class), model.threshold, model.threshold_origin
    )
    by_run = np.argsort(columns.run, kind="stable")
    bounds = np.searchsorted(columns.run[by_run], np.arange(len(results.plan.runs) + 1))
    found: dict[str, RunEvidence] = {}
    plain = Predictions(subjects, model.classes, decision)
    for number, run in enumerate(results.plan.runs):
        chosen = by_run[bounds[number] : bounds[number + 1]]
        rows = _rows_of(columns, chosen, place, run)
        known = Predictions(subjects, model.classes, decision, tuple(found.values()))
        found[run.id] = _evidence(run, rows, known, results)
    return Predictions(plain.subjects, plain.classes, plain.decision, tuple(found.values()))


def _subject(columns: Columns, at: int, classes: tuple[str, ...]) -> Subject:
    patient, label, *values = map(as_it_was, columns.who[at])
    pairs = zip(columns.attributes, values, strict=True)
    attributes = {name: value for name, value in pairs if value}
    return Subject(columns.cases[at], classes.index(label), patient or None, attributes)


def _rows_of(columns: Columns, chosen: Ints, place: Ints, run: PlannedRun) -> Rows:
    """The rows of one run, by case and variant, none twice."""
    names, variant = np.unique(columns.variant[chosen], return_inverse=True)
    case = place[columns.case[chosen]]
    order = np.lexsort((variant, case))
    twice = (np.diff(case[order]) == 0) & (np.diff(variant[order]) == 0)
    if twice.any():
        line = int(columns.line[chosen[order[1:][twice][0]]])
        raise damaged(line, "a case once in a run", "its second row")
    at = chosen[order]
    return Rows(
        case=case[order],
        variant=variant[order].astype(np.int64),
        logits=columns.logits[at],
        referred=columns.flags[at, 0] == 1,
        success=columns.flags[at, 1],
        success_8bit=columns.flags[at, 2],
        queries=np.full(len(at), -1, dtype=np.int64),
        variants=tuple(read_variant(columns.variants[n][1], run.params) for n in names),
        found=({},) * len(at),
    )


def _evidence(run: PlannedRun, rows: Rows, known: Predictions, results: Results) -> RunEvidence:
    kinds = {f.variant for f in results.findings if f.stress == run.stress}
    level, search = not kinds & {"worst", "worst cell"}, "worst" in kinds
    if run.state != "done":
        return RunEvidence(run, np.zeros(0, np.int64), rows, level, search)
    sample = np.unique(rows.case)
    if run.kind == "attack":
        drawn = _attacked(run, rows, known, results.plan.seed)
        if drawn is None:
            failed = run.model_copy(update={"state": "failed", "reason": UNTOLD})
            return RunEvidence(failed, sample, rows, level, search)
        sample = drawn
    if len(sample) != run.sample:
        raise DamagedFile(
            f"{run.sample} cases of the run {run.id} in predictions.csv", str(len(sample)), AGAIN
        )
    return RunEvidence(run, sample, rows, level, search)


def _attacked(run: PlannedRun, rows: Rows, known: Predictions, seed: int) -> Ints | None:
    """Places of the sample of an attack, of which only the correct cases have rows."""
    try:
        clean = known.clean(run.defence)
        correct = known.clean_correct(run.defence)
    except KeyError:
        return None
    ids: Mapping[str, int] = {known.subjects[at].id: int(at) for at in clean.sample}
    labels = {name: known.classes[known.subjects[at].target] for name, at in ids.items()}
    with_row = {known.subjects[at].id for at in np.unique(rows.case)}
    right = {name for name, at in ids.items() if correct[at]}
    found = sample_of(run, seed, labels, with_row, right)
    return None if found is None else np.array([ids[name] for name in found], dtype=np.int64)

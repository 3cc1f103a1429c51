"""From a run's rows to one view: which row speaks for each case, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.evidence import Predictions, RunEvidence
from audit.findings.handled import refers
from audit.findings.view import (
    Bools,
    Floats,
    Gap,
    Ints,
    Label,
    View,
    confidence,
    finite_rows,
    scores,
)


@dataclass(frozen=True)
class Picked:
    """Rows of sampled cases: `place` in the sample, `row` in the run's rows."""

    place: Ints
    row: Ints


def pick(evidence: RunEvidence, rows: Ints) -> Picked:
    place = _places(evidence)[evidence.rows.case[rows]]
    inside = place >= 0
    return Picked(place[inside], rows[inside])


def _worst(predictions: Predictions, evidence: RunEvidence, picked: Picked) -> Picked:
    """Per case the row that fools, and among those the one furthest towards the wrong side."""
    if np.bincount(picked.place, minlength=1).max() <= 1:
        return picked
    cases = evidence.rows.case[picked.row]
    logits = evidence.rows.logits[picked.row]
    target = predictions.targets[cases]
    right = _stands(evidence, picked.row) & (predictions.decided(logits) == target)
    score = scores(predictions, cases, logits)
    towards_truth = np.where(target == predictions.decision.positive, score, -score)
    order = np.lexsort((picked.row, towards_truth, right, picked.place))
    first = order[np.flatnonzero(np.diff(picked.place[order], prepend=-1))]
    return Picked(picked.place[first], picked.row[first])


def view_of(
    predictions: Predictions, evidence: RunEvidence, label: Label, picked: Picked
) -> View | Gap:
    """One row per case, the worst where there are several; what an attack left alone stands."""
    cases = evidence.sample.astype(np.int64)
    attacked = evidence.run.kind == "attack"
    clean = predictions.clean_logits(evidence.run.defence)[cases]
    clean_correct = predictions.decided(clean) == predictions.targets[cases]
    seen = np.zeros(len(cases), dtype=bool)
    seen[picked.place] = True
    missing = int((~seen & (clean_correct if attacked else True)).sum())
    if missing:
        return Gap(label, f"no result for {missing} of {len(cases)} cases")
    worst = _worst(predictions, evidence, picked)
    logits = clean.copy()
    logits[worst.place] = evidence.rows.logits[worst.row]
    decided = predictions.decided(logits)
    correct = decided == predictions.targets[cases]
    stands = np.ones(len(cases), dtype=bool)
    stands[worst.place] = _stands(evidence, worst.row)
    kept = clean_correct & correct & stands
    fooled = clean_correct & ~kept
    unseen, surely_wrong = _unseen(predictions, evidence, picked, clean)
    return View(
        label=label,
        cases=cases,
        decided=decided,
        score=scores(predictions, cases, logits),
        correct=correct,
        clean_correct=clean_correct,
        kept=kept,
        finite=finite_rows(logits),
        referred=_referred(predictions, evidence, worst),
        confidence=confidence(logits, decided),
        unseen=unseen,
        surely_wrong=surely_wrong,
        refers=refers(predictions, evidence.run.defence),
        fooled=fooled if attacked else None,
        fooled_8bit=fooled & _survives(evidence, picked) if _rounded(evidence, picked) else None,
    )


def _referred(predictions: Predictions, evidence: RunEvidence, picked: Picked) -> Bools:
    """(n,) handed to a human; what an attack left alone as without stress."""
    clean = predictions.clean(evidence.run.defence)
    everyone = np.zeros(len(predictions.subjects), dtype=bool)
    everyone[clean.rows.case] = clean.rows.referred
    found = everyone[evidence.sample]
    found[picked.place] = evidence.rows.referred[picked.row]
    return found


def _unseen(
    predictions: Predictions, evidence: RunEvidence, picked: Picked, clean: npt.NDArray[np.float32]
) -> tuple[Bools, Floats]:
    """(n,) wrong and not referred in some row of the case, and the surest of those rows.

    Every row counts, not only the worst: an alteration that fools and is referred may stand
    beside one that fools and is not. A case without rows speaks by its clean output (n, K).
    """
    cases, rows = evidence.sample, evidence.rows
    nothing = Picked(np.zeros(0, np.int64), np.zeros(0, np.int64))
    decided = predictions.decided(clean)
    wrong = (decided != predictions.targets[cases]) & ~_referred(predictions, evidence, nothing)
    wrong[picked.place] = False
    sure = np.where(wrong, confidence(clean, decided), -np.inf)
    logits = rows.logits[picked.row]
    said = predictions.decided(logits)
    right = (said == predictions.targets[rows.case[picked.row]]) & _stands(evidence, picked.row)
    bad = ~right & ~rows.referred[picked.row]
    place = picked.place[bad]
    wrong[place] = True
    np.maximum.at(sure, place, confidence(logits[bad], said[bad]))
    return wrong, sure


def _rounded(evidence: RunEvidence, picked: Picked) -> bool:
    flags = evidence.rows.success_8bit[picked.row]
    return evidence.run.kind == "attack" and bool((flags >= 0).all())


def _survives(evidence: RunEvidence, picked: Picked) -> Bools:
    """(n,) some success of the case that is still one after rounding to 8 bits."""
    rows = evidence.rows
    both = (rows.success[picked.row] == 1) & (rows.success_8bit[picked.row] == 1)
    survives = np.zeros(len(evidence.sample), dtype=bool)
    survives[picked.place[both]] = True
    return survives


def _stands(evidence: RunEvidence, rows: Ints) -> Bools:
    """False where the engine recorded a success, whatever the stored logits say."""
    return np.asarray(evidence.rows.success[rows] != 1)


def average(
    predictions: Predictions, evidence: RunEvidence, label: Label, view: View, picked: Picked
) -> View:
    """Share of the variants each case was decided correctly under: 0 for cases left alone, which
    an attack leaves alone because they are wrong without it."""
    cases = evidence.rows.case[picked.row]
    right = predictions.decided(evidence.rows.logits[picked.row]) == predictions.targets[cases]
    count = np.bincount(picked.place, minlength=len(view.cases))
    total = np.bincount(picked.place, right.astype(float), minlength=len(view.cases))
    share = total / np.maximum(count, 1)
    return replace(view, label=label, share=share, fooled=None, fooled_8bit=None)


def _places(evidence: RunEvidence) -> Ints:
    highest = max(evidence.sample.max(initial=-1), evidence.rows.case.max(initial=-1))
    place = np.full(int(highest) + 1, -1, dtype=np.int64)
    place[evidence.sample] = np.arange(len(evidence.sample))
    return place

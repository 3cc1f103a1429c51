"""From the rows of a run to its views: one per level, the worst of a search, the cells of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audit.evidence import Predictions, RunEvidence
from audit.findings.params import level_params, planned_levels, scalars
from audit.findings.view import Bools, Gap, Ints, Label, View, finite_rows, scores
from audit.results import Scalar

NO_CLEAN = "the clean run under this defence is not complete"
WORST = "worst"
WORST_CELL = "worst cell"
AVERAGE = "average"


@dataclass(frozen=True)
class Picked:
    """At most one row per sampled case: `place` in the sample, `row` in the run's rows."""

    place: Ints
    row: Ints


def views(predictions: Predictions, evidence: RunEvidence) -> Iterator[View | Gap]:
    """Every view of one run. What is missing comes as a Gap, never as silence."""
    reason = _unusable(predictions, evidence)
    if reason is not None:
        for level in planned_levels(evidence.run.params):
            label = replace(_label(evidence, level), variant=_variant(evidence))
            yield Gap(label, len(evidence.sample), reason)
    elif evidence.search_variants:
        yield from _searches(predictions, evidence)
    elif evidence.level_variants:
        yield from _levels(predictions, evidence)
    else:
        yield from _cells(predictions, evidence)


def _variant(evidence: RunEvidence) -> str:
    if evidence.search_variants:
        return WORST
    return "" if evidence.level_variants else WORST_CELL


def _unusable(predictions: Predictions, evidence: RunEvidence) -> str | None:
    run = evidence.run
    if run.state != "done":
        return run.reason or f"the run is {run.state}"
    if run.kind != "clean" and not has_clean(predictions, run.defence):
        return NO_CLEAN
    return None


def has_clean(predictions: Predictions, defence: str) -> bool:
    return any(
        e.run.kind == "clean" and e.run.defence == defence and e.run.state == "done"
        for e in predictions.runs
    )


def _levels(predictions: Predictions, evidence: RunEvidence) -> Iterator[View | Gap]:
    for variant, rows in _by_variant(evidence):
        yield _view(predictions, evidence, _label(evidence, variant), _pick(evidence, rows))


def _searches(predictions: Predictions, evidence: RunEvidence) -> Iterator[View | Gap]:
    """A case is fooled when any candidate fools it; candidates of one ε stay together."""
    parts: dict[tuple[tuple[str, Scalar], ...], list[Ints]] = {}
    for variant, rows in _by_variant(evidence):
        parts.setdefault(tuple(level_params(variant).items()), []).append(rows)
    for level, chunks in parts.items():
        picked = _pick(evidence, np.concatenate(chunks))
        label = replace(_label(evidence, dict(level)), variant=WORST)
        yield from _worst_and_average(predictions, evidence, label, picked, len(chunks))


def _cells(predictions: Predictions, evidence: RunEvidence) -> Iterator[View | Gap]:
    """Every cell of a map, then the worst cell per image, then the average over cells."""
    cells = _by_variant(evidence)
    for variant, rows in cells:
        label = _label(evidence, variant)
        found = _view(predictions, evidence, label, _pick(evidence, rows))
        yield replace(found, everyone_only=True) if isinstance(found, View) else found
    label = replace(_label(evidence, {}), variant=WORST_CELL)
    picked = _pick(evidence, np.arange(len(evidence.rows), dtype=np.int64))
    yield from _worst_and_average(predictions, evidence, label, picked, len(cells))


def _worst_and_average(
    predictions: Predictions, evidence: RunEvidence, label: Label, picked: Picked, variants: int
) -> Iterator[View | Gap]:
    """The average only where nothing was dropped: a search stops at what it has fooled."""
    worst = _view(predictions, evidence, label, picked)
    yield worst
    count = np.bincount(picked.place, minlength=len(evidence.sample))
    if isinstance(worst, View) and variants > 1 and np.isin(count, [0, variants]).all():
        yield _average(predictions, evidence, replace(label, variant=AVERAGE), worst, picked)


def _by_variant(evidence: RunEvidence) -> list[tuple[Mapping[str, Scalar], Ints]]:
    """(variant, its row numbers), in the order of the table; planned levels when there is none."""
    known: Sequence[Mapping[str, Scalar]] = evidence.rows.variants
    if not known:
        empty = np.zeros(0, dtype=np.int64)
        return [(level, empty) for level in planned_levels(evidence.run.params)]
    order = np.argsort(evidence.rows.variant, kind="stable")
    bounds = np.searchsorted(evidence.rows.variant[order], np.arange(len(known) + 1))
    return [(v, order[bounds[i] : bounds[i + 1]]) for i, v in enumerate(known)]


def _label(evidence: RunEvidence, variant: Mapping[str, Scalar]) -> Label:
    run = evidence.run
    params = {**scalars(run.params), **scalars(variant)}
    return Label(run.stress, run.defence, run.kind, params, norm=run.norm)


def _pick(evidence: RunEvidence, rows: Ints) -> Picked:
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


def _view(
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
        return Gap(label, len(cases), f"no result for {missing} of {len(cases)} cases")
    worst = _worst(predictions, evidence, picked)
    logits = clean.copy()
    logits[worst.place] = evidence.rows.logits[worst.row]
    decided = predictions.decided(logits)
    correct = decided == predictions.targets[cases]
    stands = np.ones(len(cases), dtype=bool)
    stands[worst.place] = _stands(evidence, worst.row)
    kept = clean_correct & correct & stands
    fooled = clean_correct & ~kept
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


def _average(
    predictions: Predictions, evidence: RunEvidence, label: Label, view: View, picked: Picked
) -> View:
    """Share of the variants each case was decided correctly under; untouched cases keep theirs."""
    cases = evidence.rows.case[picked.row]
    right = predictions.decided(evidence.rows.logits[picked.row]) == predictions.targets[cases]
    count = np.bincount(picked.place, minlength=len(view.cases))
    total = np.bincount(picked.place, right.astype(float), minlength=len(view.cases))
    share = np.where(count > 0, total / np.maximum(count, 1), view.correct)
    return replace(view, label=label, share=share, fooled=None, fooled_8bit=None)


def _places(evidence: RunEvidence) -> Ints:
    highest = max(evidence.sample.max(initial=-1), evidence.rows.case.max(initial=-1))
    place = np.full(int(highest) + 1, -1, dtype=np.int64)
    place[evidence.sample] = np.arange(len(evidence.sample))
    return place

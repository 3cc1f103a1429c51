"""From the rows of a run to its views: one per level, the worst of a search, the cells of a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from audit.evidence import Predictions, RunEvidence
from audit.findings.params import level_params, planned_levels, scalars
from audit.findings.pick import Picked, average, pick, view_of
from audit.findings.view import Gap, Ints, Label, View
from audit.results import Scalar

NO_CLEAN = "the clean run under this defence is not complete"
WORST = "worst"
WORST_CELL = "worst cell"
AVERAGE = "average"


def views(predictions: Predictions, evidence: RunEvidence) -> Iterator[View | Gap]:
    """Every view of one run. What is missing comes as a Gap, never as silence."""
    reason = _unusable(predictions, evidence)
    if reason is not None:
        for level in planned_levels(evidence.run.params):
            label = replace(label_of(evidence, level), variant=_variant(evidence))
            yield Gap(label, reason)
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
    for variant, rows in by_variant(evidence):
        yield view_of(predictions, evidence, label_of(evidence, variant), pick(evidence, rows))


def _searches(predictions: Predictions, evidence: RunEvidence) -> Iterator[View | Gap]:
    """A case is fooled when any candidate fools it; candidates of one ε stay together."""
    parts: dict[tuple[tuple[str, Scalar], ...], list[Ints]] = {}
    for variant, rows in by_variant(evidence):
        parts.setdefault(tuple(level_params(variant).items()), []).append(rows)
    for level, chunks in parts.items():
        picked = pick(evidence, np.concatenate(chunks))
        label = replace(label_of(evidence, dict(level)), variant=WORST)
        yield from _worst_and_average(predictions, evidence, label, picked, len(chunks))


def _cells(predictions: Predictions, evidence: RunEvidence) -> Iterator[View | Gap]:
    """Every cell of a map, then the worst cell per image, then the average over cells."""
    cells = by_variant(evidence)
    for variant, rows in cells:
        label = label_of(evidence, variant)
        found = view_of(predictions, evidence, label, pick(evidence, rows))
        yield replace(found, everyone_only=True) if isinstance(found, View) else found
    label = replace(label_of(evidence, {}), variant=WORST_CELL)
    picked = pick(evidence, np.arange(len(evidence.rows), dtype=np.int64))
    yield from _worst_and_average(predictions, evidence, label, picked, len(cells))


def _worst_and_average(
    predictions: Predictions, evidence: RunEvidence, label: Label, picked: Picked, variants: int
) -> Iterator[View | Gap]:
    """The average only where nothing was dropped: a search stops at what it has fooled."""
    worst = view_of(predictions, evidence, label, picked)
    yield worst
    count = np.bincount(picked.place, minlength=len(evidence.sample))
    if isinstance(worst, View) and variants > 1 and np.isin(count, [0, variants]).all():
        yield average(predictions, evidence, replace(label, variant=AVERAGE), worst, picked)


def by_variant(evidence: RunEvidence) -> list[tuple[Mapping[str, Scalar], Ints]]:
    """(variant, its row numbers), in the order of the table; planned levels when there is none."""
    known: Sequence[Mapping[str, Scalar]] = evidence.rows.variants
    if not known:
        empty = np.zeros(0, dtype=np.int64)
        return [(level, empty) for level in planned_levels(evidence.run.params)]
    order = np.argsort(evidence.rows.variant, kind="stable")
    bounds = np.searchsorted(evidence.rows.variant[order], np.arange(len(known) + 1))
    return [(v, order[bounds[i] : bounds[i + 1]]) for i, v in enumerate(known)]


def label_of(evidence: RunEvidence, variant: Mapping[str, Scalar]) -> Label:
    """What findings of one variant of a run say about where they come from."""
    run = evidence.run
    origin: dict[str, Scalar] = {"surrogate": run.surrogate} if run.surrogate else {}
    params = {**scalars(run.params), **origin, **scalars(variant)}
    return Label(run.stress, run.defence, run.kind, params, norm=run.norm)

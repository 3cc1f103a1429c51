"""The levels of a run, and which of them is the strongest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from audit.evidence import Predictions, RunEvidence
from audit.findings.levels import WORST, WORST_CELL, by_variant, has_clean, label_of
from audit.findings.params import level_params
from audit.findings.pick import pick, view_of
from audit.findings.view import Bools, Ints, Label, View

Level = tuple[Label, Ints]


def levels_of(evidence: RunEvidence) -> list[Level]:
    """What findings call each level, and its row numbers: candidates of one search and the cells
    of a map belong together. Nothing of a run that was not carried out."""
    if evidence.run.state != "done" or not len(evidence.rows):
        return []
    if evidence.level_variants and not evidence.search_variants:
        return [(label_of(evidence, variant), rows) for variant, rows in by_variant(evidence)]
    searched = evidence.search_variants
    parts: dict[str, tuple[Label, list[Ints]]] = {}
    for variant, rows in by_variant(evidence):
        level = level_params(variant) if searched else {}
        label = replace(label_of(evidence, level), variant=WORST if searched else WORST_CELL)
        parts.setdefault(repr(level), (label, []))[1].append(rows)
    return [(label, np.concatenate(rows)) for label, rows in parts.values()]


def strongest(predictions: Predictions, evidence: RunEvidence) -> View | None:
    """The view of the level at which most cases are decided wrongly, the last of equals; per
    case its worst image. None where a case lacks a result."""
    levels = levels_of(evidence)
    if not levels or not has_clean(predictions, evidence.run.defence):
        return None
    wrong = _wrong(predictions, evidence)
    case = evidence.rows.case
    lost = [len(np.unique(case[rows[wrong[rows]]])) for _, rows in levels]
    label, rows = levels[max(range(len(lost)), key=lambda level: (lost[level], level))]
    found = view_of(predictions, evidence, label, pick(evidence, rows))
    return found if isinstance(found, View) else None


def _wrong(predictions: Predictions, evidence: RunEvidence) -> Bools:
    """(R,) decided wrongly, or recorded as a success of an attack."""
    rows = evidence.rows
    said = predictions.decided(rows.logits) == predictions.targets[rows.case]
    return np.asarray(~said | (rows.success == 1))

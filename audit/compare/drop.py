"""The gate's drop from a baseline, paired case by case where both predictions are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.compare.differences import Twice, auroc_change, cut, part_of, rate_change, twice
from audit.compare.pair import Pair, pair
from audit.compare.rebuild import UNTOLD
from audit.compare.results import Difference
from audit.compare.side import Key, Side, params_key, side_of
from audit.errors import HipauditError
from audit.findings.paired import SHARED
from audit.findings.rates import rates
from audit.findings.view import Bools, Gap, View
from audit.gate.evidence import Unanswerable
from audit.results import Finding, Results

AUROC = "auroc"
CLOSE = 1e-6


@dataclass(frozen=True)
class _Audits:
    """Both audits, paired; `pair` is None where a case stands on one side only."""

    base: Side
    new: Side
    pair: Pair | None


def changes(
    baseline: Results, before: Path, results: Results, now: Path
) -> Callable[[Finding, Finding], Finding | None]:
    """A function that gives NEW − BASE of two findings of the same thing, paired case by case.

    `before`, `now`: the predictions.csv beside each audit.json, read when first asked. None where
    the two cannot be paired: other cases, other parameters, a metric that is not counted case by
    case. The function raises Unanswerable where a file is damaged or does not bear out its finding.
    """
    known: list[_Audits] = []

    def change(old: Finding, new: Finding) -> Finding | None:
        if old.metric not in (*SHARED, AUROC):
            return None
        if not known:
            known.append(_read(baseline, before, results, now))
        return _change(known[0], old, new)

    return change


def _read(baseline: Results, before: Path, results: Results, now: Path) -> _Audits:
    sides = []
    for name, audit, path in (("the baseline", baseline, before), ("this audit", results, now)):
        try:
            sides.append(side_of(audit, path))
        except HipauditError as error:
            raise Unanswerable(f"predictions.csv of {name} cannot be used: {error}") from error
    base, new = sides
    ids = [{subject.id for subject in side.predictions.subjects} for side in sides]
    if ids[0] != ids[1]:
        return _Audits(base, new, None)
    try:
        return _Audits(base, new, pair(base, new, ()))
    except HipauditError as error:
        raise Unanswerable(f"the two audits cannot be paired: {error}") from error


def _change(audits: _Audits, old: Finding, new: Finding) -> Finding | None:
    if audits.pair is None:
        return None
    key, level = _level(audits.base, old)
    other_key, other = _level(audits.new, new)
    if level is None or other is None or key != other_key:
        return None
    seen = twice(audits.pair, level, other)
    if seen is None or not len(seen.base.cases) == len(level.cases) == len(other.cases):
        return None
    found = _of_group(audits.pair, seen, old.metric, old.group)
    if found is None:
        return None
    for finding, value in ((old, found.base), (new, found.new)):
        if found.n != finding.n or not _same(finding.value, value):
            _contradicted(audits.pair, finding)
            return None
    return found


def _level(side: Side, finding: Finding) -> tuple[Key, View | None]:
    """The level a finding comes from, and what makes it the same in another audit."""
    wanted = (finding.stress, finding.defence, finding.variant, params_key(finding.params))
    for key, level in side.levels.items():
        label = level.label
        if (label.stress, label.defence, label.variant, params_key(label.params)) == wanted:
            if isinstance(level, Gap) and level.reason == UNTOLD:
                raise Unanswerable(f"under {finding.stress}, {UNTOLD}")
            return key, None if isinstance(level, Gap) else level
    return (), None


def _of_group(pair: Pair, level: Twice, metric: str, group: Mapping[str, str]) -> Difference | None:
    subjects = pair.frame.predictions.subjects
    members = [
        all(subjects[int(case)].attributes.get(name) == value for name, value in group.items())
        for case in level.new.cases
    ]
    inside: Bools = np.array(members, dtype=bool)
    part = part_of(level, inside)
    if part is None:
        return None
    if metric == AUROC:
        return None if level.new.kept_only else auroc_change(pair, part, dict(group))
    new, base = (
        {rate.metric: rate for rate in rates(pair.frame.predictions, view)}
        for view in (level.new, level.base)
    )
    if metric not in new or metric not in base:
        return None
    return rate_change(pair, part, cut(new[metric], inside), cut(base[metric], inside), dict(group))


def _same(stated: float | None, counted: float | None) -> bool:
    return stated is not None and counted is not None and abs(stated - counted) <= CLOSE


def _contradicted(pair: Pair, finding: Finding) -> None:
    """Unpaired where the audits know other attributes of a case; otherwise nothing is believed."""
    if any(note.code == "attribute-differs" for note in pair.notes):
        return
    raise Unanswerable(f"predictions.csv does not bear out the {finding.metric} of audit.json")

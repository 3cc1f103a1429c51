"""Which cases are shown: those that fall at the smallest ε, and those that one pixel turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audit.draws import ranked
from audit.evidence import Predictions, RunEvidence
from audit.probes.registry import Examination
from audit.results import Scalar
from audit.stresses.registry import get_stress

EACH = 2  # of positive and of negative cases
PIXEL_STRESSES = ("one_pixel", "one_pixel_seeded", "sparse_rs")


@dataclass(frozen=True)
class Fallen:
    """A case (row of the subjects) that a run's attack turned first at `epsilon`.

    `forwards`: what making its images anew takes, a backward counted as two. `eight`: whether
    the decision was changed after rounding to 8 bits too.
    """

    row: int
    run: RunEvidence
    epsilon: float
    forwards: float
    eight: bool


@dataclass(frozen=True)
class OnePixel:
    """A case that a run turned with a single pixel, and what was found."""

    row: int
    run: RunEvidence
    found: Mapping[str, Scalar]


def gradient_runs(predictions: Predictions) -> list[RunEvidence]:
    """The attacks along gradients that were carried out on the model itself, ε by ε."""
    return [
        evidence
        for evidence in predictions.runs
        if _on_the_model(evidence)
        and evidence.run.norm == "linf"
        and "epsilons" in evidence.run.params
        and get_stress(evidence.run.stress).needs_gradients
    ]


def pixel_runs(predictions: Predictions) -> list[RunEvidence]:
    """The searches for a single pixel, those without gradients first."""
    names = {name: place for place, name in enumerate(PIXEL_STRESSES)}
    mine = [e for e in predictions.runs if _on_the_model(e) and e.run.stress in names]
    return sorted(mine, key=lambda evidence: names[evidence.run.stress])


def _on_the_model(evidence: RunEvidence) -> bool:
    run = evidence.run
    return (run.kind, run.state, run.defence, run.surrogate) == ("attack", "done", "none", "")


def fallen(examination: Examination, runs: Sequence[RunEvidence], limit: int) -> list[Fallen]:
    """`EACH` positive and negative cases with the smallest ε at which an attack changes them.

    Of attacks that do so at the same ε the one that is cheapest to repeat; among equals a
    seeded order decides. Attacks dearer than `limit` forwards per case are left out, unless they
    take no more than a gradient and a look at each ε.
    """
    order = _order(examination)
    best: dict[int, Fallen] = {}
    for evidence in runs:
        for one in _first_levels(evidence):
            cheap = one.forwards <= max(limit, 4 + len(evidence.rows.variants))
            before = best.get(one.row)
            if cheap and (before is None or _key(one) < _key(before)):
                best[one.row] = one
    shown = [row for row in best if row in order]
    ranking = sorted(shown, key=lambda row: (*_key(best[row]), order[row]))
    return [best[row] for row in _of_each(examination.predictions, ranking)]


def one_pixels(examination: Examination, runs: Sequence[RunEvidence]) -> list[OnePixel]:
    """`EACH` positive and negative cases that a single pixel turned, in seeded order."""
    order = _order(examination)
    best: dict[int, OnePixel] = {}
    for evidence in runs:
        rows = evidence.rows
        for index in np.flatnonzero(rows.success == 1):
            row, told = int(rows.case[index]), rows.found[index]
            if row in order and "x" in told and "x2" not in told:
                best.setdefault(row, OnePixel(row, evidence, told))
    ranking = sorted(best, key=order.__getitem__)
    return [best[row] for row in _of_each(examination.predictions, ranking)]


def _key(one: Fallen) -> tuple[float, float]:
    return one.epsilon, one.forwards


def _order(examination: Examination) -> dict[int, int]:
    """Row of every case that may be shown -> its place in seeded order."""
    cases = examination.cases.by_id()
    rows = {s.id: row for row, s in enumerate(examination.predictions.subjects)}
    shown = [case_id for case_id in rows if cases[case_id].burned_in is not True]
    return {rows[i]: place for place, i in enumerate(ranked(examination.seed, shown, "flips"))}


def _of_each(predictions: Predictions, ranking: Sequence[int]) -> list[int]:
    """The first `EACH` rows of the positive and of the other cases."""
    positive = predictions.decision.positive
    split: tuple[list[int], list[int]] = ([], [])
    for row in ranking:
        split[int(predictions.targets[row] != positive)].append(row)
    return [row for rows in split for row in rows[:EACH]]


def _first_levels(evidence: RunEvidence) -> Iterator[Fallen]:
    """Every case the run turned, at the smallest ε that did."""
    rows = evidence.rows
    levels = np.array([float(variant["epsilon"]) for variant in rows.variants])
    if not len(levels):
        return
    stress = get_stress(evidence.run.stress)
    whole = stress.cost(stress.check(evidence.run.params))
    order = np.argsort(rows.case, kind="stable")
    cases, starts = np.unique(rows.case[order], return_index=True)
    for row, mine in zip(cases, np.split(order, starts[1:]), strict=True):
        hits = mine[rows.success[mine] == 1]
        if not len(hits):
            continue
        first = hits[np.argmin(levels[rows.variant[hits]])]
        asked = rows.queries[mine]
        known = 3.0 * float(asked.sum()) + len(levels) if (asked >= 0).all() else whole
        epsilon, eight = float(levels[rows.variant[first]]), bool(rows.success_8bit[first] == 1)
        yield Fallen(int(row), evidence, epsilon, min(whole, known) + 1, eight)

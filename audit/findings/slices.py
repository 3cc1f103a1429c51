"""Weak slices: is the model worse in some value, or pair of values, of the attributes?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from audit.draws import generator
from audit.findings.contrasts import group_contrasts
from audit.findings.frame import Frame
from audit.findings.groups import cells, eligible, values_of
from audit.findings.measure import Measured, finding
from audit.findings.proportions import tabulate
from audit.findings.rates import FEWEST, Rate, rates
from audit.findings.view import Bools, View
from audit.metrics.slices import Question, Searched, search
from audit.results import Finding

METRIC = "weak_slice"
REST = "rest"
ASKED = ("accuracy", "sensitivity", "specificity")
MOST_SLICES = 1000
MOST_TOLD = 5
ALPHA = 0.05
Slice = tuple[dict[str, str], Bools]


def weak_slices(frame: Frame, view: View) -> Iterator[Finding]:
    """At most five slices that are worse than all other cases beyond chance, worst first: params
    {"of": metric}, contrast "rest", the one-sided p, and p_holm adjusted for the whole search by
    permutation. Else one finding without a value that says what was searched.
    """
    slices = _slices(frame, view)
    label = view.label
    start = finding(METRIC, label, {}, n=len(view.cases), independent=not _all_known(frame, view))
    start = start.model_copy(update={"contrast": REST})
    if not slices:
        yield start.model_copy(update={"reason": f"no slice of {FEWEST} cases or more to search"})
        return
    asked = [rate for rate in rates(frame.predictions, view) if rate.metric in ASKED]
    found = _searched(frame, view, asked, slices)
    tests = int(np.isfinite(found.p).sum())
    if not tests:
        yield start.model_copy(update={"reason": f"no slice has {FEWEST} cases to count by"})
        return
    family = f"weak slices: {tests} comparisons of {len(slices)} slices"
    told = 0
    for q, s in _worst_first(found):
        hit = _difference(frame, view, asked[q], slices[s])
        if hit.value is not None and hit.value < 0:
            p = {"p": float(found.p[q, s]), "p_holm": float(found.p_adjusted[q, s])}
            yield hit.model_copy(update={**p, "family": family})
            told += 1
        if told == MOST_TOLD:
            return
    if not told:
        yield start.model_copy(update={"reason": _nothing(found, len(slices))})


def _nothing(found: Searched, slices: int) -> str:
    least = float(np.nanmin(found.p_adjusted))
    words = "" if least >= ALPHA else " but for its mix of outcomes"
    return (
        f"no slice stands out{words} (smallest adjusted p = {least:.2g}; {slices} slices searched)"
    )


def _slices(frame: Frame, view: View) -> list[Slice]:
    """Values and pairs of values of every attribute with 2 to 12 of them, of ten cases or more
    beside ten others; of slices with the same cases the first."""
    subjects = [frame.predictions.subjects[case] for case in view.cases]
    values = values_of(subjects)
    names = eligible(values)
    found: list[Slice] = []
    seen: set[bytes] = set()
    for several in [*((name,) for name in names), *combinations(names, 2)]:
        for group, inside in cells(subjects, several, values):
            size, key = int(inside.sum()), inside.tobytes()
            if FEWEST <= size <= len(inside) - FEWEST and key not in seen:
                seen.add(key)
                found.append((group, inside))
            if len(found) == MOST_SLICES:
                return found
    return found


def _searched(frame: Frame, view: View, asked: list[Rate], slices: list[Slice]) -> Searched:
    outcome = frame.predictions.targets[view.cases]
    questions = [
        Question(rate.whole & ~rate.part.astype(bool), tuple(np.unique(outcome[rate.whole])))
        for rate in asked
    ]
    return search(
        questions,
        np.stack([inside for _, inside in slices], axis=1),
        outcome,
        frame.patients[view.cases],
        FEWEST,
        frame.resamples,
        generator(frame.seed, METRIC),
    )


def _worst_first(found: Searched) -> list[tuple[int, int]]:
    """(question, slice) of those that stand out; of each slice the strongest question only."""
    strong = np.argwhere(found.p_adjusted < ALPHA)
    order = sorted(strong.tolist(), key=lambda at: (found.p_adjusted[*at], -found.score[*at]))
    best: dict[int, int] = {}
    for q, s in order:
        best.setdefault(s, q)
    return [(q, s) for s, q in best.items()]


def _difference(frame: Frame, view: View, rate: Rate, piece: Slice) -> Finding:
    """The slice minus all other cases, with the interval of any difference between groups."""
    group, inside = piece
    members = np.stack([inside, ~inside], axis=1)
    table = tabulate(frame, view.cases, [rate], members)
    measured = Measured(view, (group, {}), [rate], table, (), (), ())
    (told,) = group_contrasts(measured, [(0, 1)])
    params = {**told.params, "of": rate.metric}
    return told.model_copy(update={"metric": METRIC, "params": params, "contrast": REST})


def _all_known(frame: Frame, view: View) -> bool:
    return bool(frame.known[view.cases].all())

"""Which cases a run was shown, where its rows alone do not tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from audit.draws import stratified
from audit.results import PlannedRun


def sample_of(
    run: PlannedRun,
    seed: int,
    labels: Mapping[str, str],
    attacked: Collection[str],
    correct: Collection[str],
) -> list[str] | None:
    """Case ids of the sample of `run`, in order, or None when it cannot be told.

    `labels`: of every case that was decided on without stress; `attacked`: those with a row of
    this run; `correct`: those decided correctly without stress. An attack leaves no row where the
    model was wrong already, but a sample was drawn by the seed and is drawn here again: it must
    hold every attacked case, and of the others none that should have been attacked.
    """
    if run.sample == len(labels):
        return sorted(labels)
    for found in _drawn(run, seed, labels):
        if {*attacked} == {*correct}.intersection(found):
            return found
    return None


def _drawn(run: PlannedRun, seed: int, labels: Mapping[str, str]) -> Iterator[list[str]]:
    """The samples that the rules of the plan allow: drawn at once, or cut from a larger one."""
    yield stratified(labels, run.sample, seed)
    cut = re.search(r"cut from (\d+)", run.rule)
    if cut:
        larger = stratified(labels, int(cut[1]), seed)
        yield stratified({i: labels[i] for i in larger}, run.sample, seed)

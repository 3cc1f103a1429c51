"""How the share of images a search has fooled grows with the queries it spends on each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.curves.levels import levels_of
from audit.curves.thin import thinned
from audit.evidence import Predictions, RunEvidence
from audit.findings.levels import has_clean
from audit.findings.rates import FEWEST
from audit.findings.view import Floats, Ints, Label
from audit.results import Curve

DIGITS = 6


def query_curves(predictions: Predictions) -> Iterator[Curve]:
    """A staircase for each level of every search with a budget of queries, made on the model
    itself: share of the attacked images (sampled, and decided correctly without stress) that were
    fooled after at most so many queries.

    It ends at the most that was spent on an image, and at least at the budget.
    """
    for evidence in predictions.runs:
        run = evidence.run
        searched = run.kind == "attack" and not run.surrogate and "queries" in run.params
        if not searched or not has_clean(predictions, run.defence):
            continue
        attacked = int(predictions.clean_correct(run.defence)[evidence.sample].sum())
        if attacked < FEWEST:
            continue
        for label, rows in levels_of(evidence):
            found = _curve(evidence, label, rows, attacked)
            if found is not None:
                yield found


def _curve(evidence: RunEvidence, label: Label, rows: Ints, attacked: int) -> Curve | None:
    """None where it is not known what a success cost."""
    table = evidence.rows
    hits = rows[table.success[rows] == 1]
    if (table.queries[hits] < 0).any():
        return None
    first = _first(table.case[hits], table.queries[hits])
    end = max(float(evidence.run.params["queries"]), float(table.queries[rows].max(initial=0)))
    line = _staircase(first, end, attacked)
    kept = line[thinned(line / [end, 1.0])]
    return Curve(
        kind="success by queries",
        stress=label.stress,
        params=dict(label.params),
        variant=label.variant,
        defence=label.defence,
        x=tuple(kept[:, 0].round(DIGITS).tolist()),
        y=tuple(kept[:, 1].round(DIGITS).tolist()),
        n=attacked,
        events=len(first),
    )


def _first(cases: Ints, queries: Ints) -> Floats:
    """Queries of the first success of each fooled case, rising."""
    _, place = np.unique(cases, return_inverse=True)
    found = np.full(int(place.max(initial=-1)) + 1, np.inf)
    np.minimum.at(found, place, queries)
    return np.sort(found)


def _staircase(steps: Floats, end: float, attacked: int) -> Floats:
    """(2S + 2, 2) points: level, then up by one image, at each of S numbers of queries."""
    across = np.concatenate([[0.0], np.repeat(steps, 2), [end]])
    up = np.repeat(np.arange(len(steps) + 1), 2) / attacked
    return np.stack([across, up], axis=1)

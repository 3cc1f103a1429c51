"""ROC and precision–recall lines of the positive class's score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from audit.curves.levels import strongest
from audit.curves.thin import thinned
from audit.evidence import Predictions
from audit.findings.groups import make_groups
from audit.findings.handled import ONLY_REFER
from audit.findings.rates import FEWEST, truth
from audit.findings.view import Bools, Floats, View
from audit.metrics.operating import curve
from audit.results import Curve

DIGITS = 6


def score_curves(predictions: Predictions, subgroups: Sequence[str] | None) -> Iterator[Curve]:
    """Both lines of everyone in each view of interest; ROC without stress of the first groups."""
    everyone = np.ones(len(predictions.subjects), dtype=bool)
    for view in _views(predictions):
        yield from _lines(predictions, view, everyone, {})
        if view.label.kind == "clean" and view.label.defence == "none":
            groups = make_groups(predictions.subjects, subgroups)
            for name, members in zip(groups.names[1:], groups.members.T[1:], strict=True):
                if name.keys() == groups.names[1].keys():
                    yield from _lines(predictions, view, members, name)


def _views(predictions: Predictions) -> Iterator[View]:
    for evidence in predictions.runs:
        run = evidence.run
        clean = run.kind == "clean" and run.defence not in ONLY_REFER
        if clean or (run.defence == "none" and not run.surrogate):
            view = strongest(predictions, evidence)
            if view is not None:
                yield view


def _lines(
    predictions: Predictions, view: View, members: Bools, group: dict[str, str]
) -> Iterator[Curve]:
    """`members` (N,) over all subjects. Of a group the ROC line only."""
    those = members[view.cases]
    positive, decided = truth(predictions, view)[those], view.decided[those]
    events, n = int(positive.sum()), len(positive)
    if min(events, n - events) < FEWEST:
        return
    found = curve(view.score[those], positive)
    hits, alarms = events * found.up[0], (n - events) * found.out[0]  # from none to all called
    called = decided == predictions.decision.positive
    # What is not finite decides nothing: no hit, and as wrong as a false alarm.
    rule = (positive & called).sum(), (~positive & (called | (decided < 0))).sum()
    start = _Start(view, group, n, events, _place(hits, alarms, rule))
    yield start.curve("roc", np.stack([alarms / (n - events), hits / events], axis=1))
    if not group:
        precision = hits[1:] / (hits[1:] + alarms[1:])
        line = np.stack([hits[1:] / events, precision], axis=1)
        yield replace(start, at=_after_none(start.at)).curve("precision-recall", line)


def _place(hits: Floats, alarms: Floats, rule: tuple[int, int]) -> int | None:
    """Which point of the line calls as many hits and false alarms as the deployed rule does."""
    same = np.isclose(hits, rule[0]) & np.isclose(alarms, rule[1])
    return int(same.argmax()) if same.any() else None


def _after_none(place: int | None) -> int | None:
    """The same point of a line that begins where the first case is called."""
    return place - 1 if place else None


@dataclass(frozen=True)
class _Start:
    """Whose line it is, and at which of its points (`at`) the deployed rule stands."""

    view: View
    group: dict[str, str]
    n: int
    events: int
    at: int | None

    def curve(self, kind: Literal["roc", "precision-recall"], line: Floats) -> Curve:
        label, at = self.view.label, self.at
        kept = line[thinned(line, at)].round(DIGITS)
        point = None if at is None else line[at].round(DIGITS).tolist()
        return Curve(
            kind=kind,
            stress=label.stress,
            params=dict(label.params),
            variant=label.variant,
            defence=label.defence,
            group=self.group,
            x=tuple(kept[:, 0].tolist()),
            y=tuple(kept[:, 1].tolist()),
            at=None if point is None else (point[0], point[1]),
            n=self.n,
            events=self.events,
        )

"""What would be left to the model alone above a cut-off of its confidence: no referral needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audit.decision import log_odds
from audit.evidence import Predictions
from audit.findings.frame import Frame
from audit.findings.measure import Said, of_everyone, rate_finding, valued
from audit.findings.proportions import intervals, tabulate
from audit.findings.rates import CASES, FEWEST, Rate, alone
from audit.findings.view import Bools, View
from audit.metrics.interval import Interval
from audit.metrics.selective import aurc, aurc_limits, surest
from audit.results import Finding, Scalar

CUT_OFFS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999)
HEADLINE = 0.995  # the cut-off of the study reproduced here
COVERAGES = tuple(step / 20 for step in range(1, 21))
ABOVE = "above the cut-off"
NAMED = {
    "accuracy": "accuracy_above",
    "sensitivity": "sensitivity_above",
    "specificity": "specificity_above",
    "missed": "missed_above",
    "missed_of_positives": "missed_of_positives_above",
}
# What is handled alone and missed there; the rates among those above follow from the two.
UNDER_STRESS = ("handled_above", "missed_above", "missed_of_positives_above")


@dataclass(frozen=True)
class Point:
    """One rate at one cut-off or coverage."""

    rate: Rate
    params: dict[str, Scalar]


def cut_offs(frame: Frame, view: View) -> Iterator[Finding]:
    """Without stress: every cut-off, the risk-coverage curve and its area for everyone, 0.995 for
    groups. Under stress: every cut-off and the curve for everyone; of several attacks at once what
    is decided wrongly above 0.995. A case counts above a
    cut-off when the probability of its decided class reaches it (compared as log-odds) and it
    was not referred. Nothing under a defence that is a cut-off itself.
    """
    if view.label.defence == "referral" or view.share is not None or view.everyone_only:
        return
    everyone = frame.groups.members[view.cases][:, :1]
    if view.label.kind != "clean":
        points = _stressed(frame.predictions, view)
        yield from _counted(frame, view, points, everyone, [{}])
        return
    whole = [p for c in CUT_OFFS for p in _clean(frame.predictions, view, c)]
    yield from _counted(frame, view, [*whole, *_curve(view)], everyone, [{}])
    yield _area(frame, view)
    if len(frame.groups.names) > 1:
        members = frame.groups.members[view.cases][:, 1:]
        at = _clean(frame.predictions, view, HEADLINE)
        yield from _counted(frame, view, at, members, frame.groups.names[1:])


def _clean(predictions: Predictions, view: View, cutoff: float) -> list[Point]:
    params: dict[str, Scalar] = {"cutoff": cutoff}
    above = _above(view, cutoff)
    rates = [_share("handled_above", above), *alone(predictions, view, above, NAMED, ABOVE)]
    rates.append(_share("unseen_error_above", above & ~view.correct))
    return [Point(rate, params) for rate in rates]


def _stressed(predictions: Predictions, view: View) -> list[Point]:
    """A confident error in any variant counts; the other rates are of the worst one."""
    wrong = {
        cutoff: Point(
            _share("unseen_error_above", view.surely_wrong >= log_odds(cutoff)), {"cutoff": cutoff}
        )
        for cutoff in CUT_OFFS
    }
    if view.kept_only:
        return [wrong[HEADLINE]]
    found = []
    for cutoff in CUT_OFFS:
        clean = _clean(predictions, view, cutoff)
        found += [p for p in clean if p.rate.metric in UNDER_STRESS] + [wrong[cutoff]]
    return [*found, *_curve(view, COVERAGES[1::2])]


def _curve(view: View, coverages: Sequence[float] = COVERAGES) -> list[Point]:
    """The share wrong of the surest cases; referral by the model is not looked at."""
    found = []
    for coverage in coverages:
        those = surest(view.confidence, coverage)
        rate = Rate("selective_risk", ~view.correct & those, those, those, CASES)
        found.append(Point(rate, {"coverage": coverage}))
    return found


def _area(frame: Frame, view: View) -> Finding:
    if len(view.cases) < FEWEST:
        said = Said(reason=f"fewer than {FEWEST} cases")
    else:
        wrong, drawn = ~view.correct, frame.resampling(view.cases, stratified=False)
        limits = Interval(*aurc_limits(view.confidence, wrong, drawn), "patient bootstrap")
        said = valued(aurc(view.confidence, wrong), limits)
    return of_everyone(frame, view, "aurc", said)


def _above(view: View, cutoff: float) -> Bools:
    return np.asarray((view.confidence >= log_odds(cutoff)) & ~view.referred)


def _share(metric: str, those: Bools) -> Rate:
    everyone = np.ones(len(those), dtype=bool)
    return Rate(metric, those, everyone, everyone, CASES)


def _counted(
    frame: Frame,
    view: View,
    points: Sequence[Point],
    members: Bools,
    names: Sequence[dict[str, str]],
) -> Iterator[Finding]:
    rates = [point.rate for point in points]
    table = tabulate(frame, view.cases, rates, members)
    known = intervals(table, [rate.upper_only for rate in rates])
    for g, group in enumerate(names):
        for m, point in enumerate(points):
            yield rate_finding(
                view.label, group, point.rate, table, (m, g), known[m][g], point.params
            )

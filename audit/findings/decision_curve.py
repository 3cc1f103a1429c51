"""The decision curve: is acting on the score better than acting on everyone, or on no one?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audit.decision import log_odds
from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import of_everyone, valued
from audit.findings.proportions import BOOTSTRAP, Table, counts, limits, tabulate
from audit.findings.rates import CASES, FEWEST, NEGATIVES, POSITIVES, Rate, truth
from audit.findings.view import Bools, Floats, View
from audit.metrics.bootstrap import percentile_limits
from audit.metrics.interval import Interval
from audit.metrics.net_benefit import (
    net_benefit,
    net_benefit_limits,
    net_benefit_of_all,
    shared_correlation,
)
from audit.metrics.proportion import wilson
from audit.results import Finding

BENEFIT, OF_ALL = "net_benefit", "net_benefit_of_all"
THRESHOLDS = (*(step / 20 for step in range(1, 11)), 0.6, 0.7, 0.8, 0.9)
SQUARE_AND_ADD = "Wilson, square-and-add"
SQUARE_AND_ADD_PATIENTS = "Wilson on patients, square-and-add"
DECLARED = "none: the prevalence is declared"


@dataclass(frozen=True)
class Shares:
    """Of the cases of a table that are hits and false alarms, for each threshold: two rates,
    each times its `weight` (its class's share where it is counted per class, else 1)."""

    hits: slice
    alarms: slice
    weights: tuple[float, float]
    one_sample: bool


def decision_curve(frame: Frame, view: View) -> Iterator[Finding]:
    """Net benefit at each of THRESHOLDS for everyone without stress: at the share of positives
    of this set, and re-weighted to each declared prevalence.

    A case is acted on when the probability of the positive class reaches the threshold, compared
    as log-odds. Nothing under a defence that changes no decision.
    """
    if view.label.kind != "clean" or view.label.defence in ONLY_REFER:
        return
    positive = truth(frame.predictions, view)
    sizes = int(positive.sum()), int((~positive).sum())
    if min(sizes) < FEWEST:
        yield from _too_few(frame, view, POSITIVES if sizes[0] < FEWEST else NEGATIVES)
        return
    members = np.ones((len(positive), 1), dtype=bool)
    table = tabulate(frame, view.cases, _rates(view, positive), members)
    count = len(THRESHOLDS)
    parts = [slice(start, start + count) for start in range(0, 4 * count, count)]
    yield from _model(frame, view, table, Shares(parts[0], parts[1], (1.0, 1.0), True), {})
    yield from _everyone(frame, view, table)
    for share in frame.prevalences:
        weighted = Shares(parts[2], parts[3], (share, 1 - share), False)
        yield from _model(frame, view, table, weighted, {"prevalence": share})
        for at in THRESHOLDS:
            value = float(net_benefit_of_all(share, at))
            said = valued(value, Interval(value, value, DECLARED), proportion=False)
            params = {"threshold": at, "prevalence": share}
            yield of_everyone(frame, view, OF_ALL, said, params=params)


def _rates(view: View, positive: Bools) -> list[Rate]:
    """At each threshold: hits and false alarms per case, then per positive and per negative;
    last, the positives."""
    everyone = np.ones(len(positive), dtype=bool)
    acted = [view.score >= log_odds(at) for at in THRESHOLDS]
    found = []
    for own, words in ((everyone, CASES), (None, "")):
        for those, name in ((positive, POSITIVES), (~positive, NEGATIVES)):
            whole = those if own is None else own
            found += [Rate("", those & one, whole, whole, words or name) for one in acted]
    return [*found, Rate("", positive, everyone, everyone, CASES)]


def _model(
    frame: Frame, view: View, table: Table, shares: Shares, at: dict[str, float]
) -> Iterator[Finding]:
    value, low, high, method = _benefit(table, shares)
    for t, threshold in enumerate(THRESHOLDS):
        interval = Interval(float(low[t]), float(high[t]), method[t])
        said = valued(float(value[t]), interval, proportion=False)
        yield of_everyone(frame, view, BENEFIT, said, params={"threshold": threshold, **at})


def _benefit(table: Table, shares: Shares) -> tuple[Floats, Floats, Floats, Sequence[str]]:
    """(T,) net benefits with limits and methods: the bootstrap of the difference itself where
    patients repeat and enough of them are hits and false alarms, else from the limits of both."""
    joint = (table.clustered[shares.hits] | table.clustered[shares.alarms])[:, 0]
    careful = joint & (table.few[shares.hits] | table.few[shares.alarms])[:, 0]
    places, known, bounds = (shares.hits, shares.alarms), [], []
    for place, weight in zip(places, shares.weights, strict=True):
        flags = np.zeros(table.whole.shape, dtype=bool)
        flags[place, 0] = careful
        events, trials = (found[place, 0] for found in counts(table, flags, slice(None)))
        lower, upper = wilson(events, trials)
        known.append(weight * events / trials)
        bounds.append((weight * lower, weight * upper))
    (hits, alarms), at = known, np.array(THRESHOLDS)
    together = shared_correlation(hits, alarms) if shares.one_sample else 0.0
    low, high = net_benefit_limits(hits, bounds[0], alarms, bounds[1], at, together)
    drawn = joint & ~careful
    if table.draws is not None and drawn.any():
        up, out = (
            weight * table.draws[:, place, 0][:, drawn]
            for place, weight in zip(places, shares.weights, strict=True)
        )
        low[drawn], high[drawn] = percentile_limits(net_benefit(up, out, at[drawn]))
    names = np.where(careful, SQUARE_AND_ADD_PATIENTS, SQUARE_AND_ADD)
    return net_benefit(hits, alarms, at), low, high, np.where(drawn, BOOTSTRAP, names).tolist()


def _everyone(frame: Frame, view: View, table: Table) -> Iterator[Finding]:
    """Acting on everyone: what is uncertain is the share of positives alone."""
    share = float(table.part[-1, 0] / table.whole[-1, 0])
    low, high, method = (found[-1, 0] for found in limits(table))
    for at in THRESHOLDS:
        value, least, most = (float(net_benefit_of_all(p, at)) for p in (share, low, high))
        said = valued(value, Interval(least, most, str(method)), proportion=False)
        yield of_everyone(frame, view, OF_ALL, said, params={"threshold": at})


def _too_few(frame: Frame, view: View, words: str) -> Iterator[Finding]:
    for metric in (BENEFIT, OF_ALL):
        yield of_everyone(frame, view, metric, {"reason": f"fewer than {FEWEST} {words}"})

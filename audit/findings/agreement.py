"""How far two readings of the same cases agree: kappa, and agreement that chance cannot hide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audit.findings.frame import Frame
from audit.findings.measure import finding, rate_finding, with_value
from audit.findings.proportions import FEW, limits, tabulate
from audit.findings.rates import FEWEST, Rate
from audit.findings.view import Bools, Ints, Label
from audit.metrics.agreement import cross_table, kappa, kappa_limits
from audit.metrics.bootstrap import patient_sums, percentile_limits, resampled_totals
from audit.metrics.interval import Interval
from audit.results import Finding


@dataclass(frozen=True)
class Reading:
    """What someone called every subject: `called` (N,) class indices, -1 where not read."""

    name: str
    called: Ints


def agreement(frame: Frame, first: Reading, second: Reading) -> Iterator[Finding]:
    """Findings with params {"first", "second"}, for everyone and for each group, on the cases
    both read: `kappa`, `agreement`, `positive_agreement`, `negative_agreement`."""
    cases = np.flatnonzero((first.called >= 0) & (second.called >= 0)).astype(np.int64)
    one, two = first.called[cases], second.called[cases]
    label = Label("clean", "none", "clean", {"first": first.name, "second": second.name})
    found = _rates(one, two, frame.predictions.decision.positive)
    members = frame.groups.members[cases]
    table = tabulate(frame, cases, found, members)
    low, high, method = limits(table)
    for g, group in enumerate(frame.groups.names):
        yield _kappa(frame, cases[members[:, g]], (one, two), members[:, g], label, group)
        for m, rate in enumerate(found):
            interval = Interval(float(low[m, g]), float(high[m, g]), str(method[m, g]))
            yield rate_finding(label, group, rate, table, (m, g), interval)


def _rates(one: Ints, two: Ints, positive: int) -> list[Rate]:
    """Specific agreement is 2 both / (2 both + only one), which is F1 of one by the other.

    Source: Cicchetti & Feinstein 1990, doi:10.1016/0895-4356(90)90159-M.
    """
    everyone = np.ones(len(one), dtype=bool)
    yes, also = one == positive, two == positive
    either, neither = yes | also, ~yes | ~also
    return [
        Rate("agreement", one == two, everyone, everyone, "cases both read"),
        Rate("positive_agreement", yes & also, either, either, "cases either called positive",
             f1=True),
        Rate("negative_agreement", ~yes & ~also, neither, neither, "cases either called negative",
             f1=True),
    ]  # fmt: skip


def _kappa(
    frame: Frame,
    cases: Ints,
    readings: tuple[Ints, Ints],
    inside: Bools,
    label: Label,
    group: dict[str, str],
) -> Finding:
    one, two = (called[inside] for called in readings)
    assumed = not bool(frame.known[cases].all())
    start = finding("kappa", label, group, n=len(cases), independent=assumed)
    if len(cases) < FEWEST:
        return start.model_copy(update={"reason": f"fewer than {FEWEST} cases both read"})
    classes = len(frame.predictions.classes)
    value = float(kappa(cross_table(one, two, classes)))
    if not np.isfinite(value):
        return start.model_copy(update={"reason": "both said one and the same thing throughout"})
    return with_value(start, value, _limits(frame, cases, one, two))


def _limits(frame: Frame, cases: Ints, one: Ints, two: Ints) -> Interval:
    """Asymptotic; over resampled patients where they repeat; where too few patients have or lack
    a disagreement for that, asymptotic with as many cases as there are patients."""
    classes = len(frame.predictions.classes)
    table = cross_table(one, two, classes)
    if not frame.repeats(cases):
        return kappa_limits(table)
    patients = frame.patients[cases]
    differ = len(np.unique(patients[one != two]))
    distinct = len(np.unique(patients))
    if min(differ, distinct - differ) < FEW:
        found = kappa_limits(table * distinct / len(cases))
        return found._replace(method=f"{found.method} on patients")
    drawn = frame.resampling(cases, stratified=False)
    cells = np.eye(classes**2)[one * classes + two]
    tables = resampled_totals(drawn, patient_sums(drawn, cells)).astype(np.float64)
    values = kappa(tables.reshape(-1, classes, classes))
    low, high = percentile_limits(values[:, None])
    return Interval(float(low[0]), float(high[0]), "patient bootstrap")

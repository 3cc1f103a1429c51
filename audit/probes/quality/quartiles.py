"""Whether the model is wrong more often at one end of a measure of quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.findings.frame import Frame
from audit.findings.measure import finding, rate_finding, with_value
from audit.findings.proportions import limits, tabulate
from audit.findings.rates import CASES, FEWEST, NEGATIVES, POSITIVES, Rate
from audit.findings.view import Bools, Ints, Label
from audit.metrics.auroc import auroc_interval, roc
from audit.metrics.interval import Interval
from audit.metrics.multiplicity import holm
from audit.metrics.trend import places_within, trend_test
from audit.quality.measures import MEASURES
from audit.results import Finding, Note

Values = Mapping[str, npt.NDArray[np.float64]]
P_VALUE = 0.01  # after Holm, before it is a warning
FAMILY = "quality"
QUARTILES = (1, 2, 3, 4)


@dataclass(frozen=True)
class Decided:
    """Of the sampled cases, in order: index into the subjects, and what was decided of them."""

    cases: Ints
    right: Bools
    positive: Bools
    called: Bools
    cleared: Bools
    labels: Ints


def decided(frame: Frame, sample: Ints) -> Decided:
    predictions = frame.predictions
    cases = sample.astype(np.int64)
    said = predictions.decided(predictions.clean_logits())[cases]
    labels = predictions.targets[cases]
    rule = predictions.decision
    called = said == rule.positive
    cleared = ~called & (said >= 0)
    return Decided(cases, said == labels, labels == rule.positive, called, cleared, labels)


def quartile_of(values: npt.NDArray[np.float64]) -> Ints:
    """(N,) 1 to 4; what equals a limit between two belongs to the lower, so one may be empty."""
    edges = np.quantile(values, [0.25, 0.5, 0.75])
    return np.asarray(1 + np.searchsorted(edges, values, side="left"), dtype=np.int64)


def by_quartile(frame: Frame, told: Decided, found: Values) -> Iterator[Finding]:
    """`accuracy_by_quality`, `sensitivity_by_quality`, `specificity_by_quality` [measure,
    quartile], the lowest quartile first; a quartile that ties leave empty is left out."""
    points = [
        (rate, name, quartile)
        for name, values in found.items()
        for quartile in QUARTILES
        for rate in _rates(told, quartile_of(values) == quartile)
        if rate.whole.any()
    ]
    if not points:
        return
    members = frame.groups.members[told.cases][:, :1]
    table = tabulate(frame, told.cases, [rate for rate, _, _ in points], members)
    low, high, method = limits(table)
    for m, (rate, name, quartile) in enumerate(points):
        label = Label("clean", "none", "clean", {"measure": name, "quartile": quartile})
        interval = Interval(float(low[m, 0]), float(high[m, 0]), str(method[m, 0]))
        yield rate_finding(label, {}, rate, table, (m, 0), interval)


def _rates(told: Decided, inside: Bools) -> list[Rate]:
    ill, well = told.positive & inside, ~told.positive & inside
    caught, cleared = ill & told.called, well & told.cleared
    return [
        Rate("accuracy_by_quality", told.right & inside, inside, inside, CASES),
        Rate("sensitivity_by_quality", caught, ill, ill, POSITIVES),
        Rate("specificity_by_quality", cleared, well, well, NEGATIVES),
    ]


def trends(frame: Frame, told: Decided, found: Values) -> list[Finding]:
    """`error_by_quality` [measure]: chance that a wrong decision measures higher than a right one
    of the same label (0.5: no link), with p and, over all measures, Holm's p."""
    wrong = ~told.right
    varied = {name: values for name, values in found.items() if np.ptp(values) > 0}
    patients = frame.patients[told.cases]
    few = _too_few(wrong, patients)
    start = [_start(frame, told, name) for name in varied]
    if few:
        return [one.model_copy(update={"reason": few}) for one in start]
    tested = [trend_test(v, wrong, told.labels, patients) for v in varied.values()]
    made = []
    for one, values, p, adjusted in zip(start, varied.values(), tested, holm(tested), strict=True):
        curve = roc(places_within(values, told.labels), wrong, patients)
        valued = with_value(one, curve.area, auroc_interval(curve))
        made.append(valued.model_copy(update={"p": p, "p_holm": adjusted, "family": FAMILY}))
    return made


def _start(frame: Frame, told: Decided, name: str) -> Finding:
    label = Label("clean", "none", "clean", {"measure": name})
    known = bool(frame.known[told.cases].all())
    return finding("error_by_quality", label, {}, n=len(told.cases), independent=not known)


def _too_few(wrong: Bools, patients: Ints) -> str:
    for those, word in ((wrong, "wrong"), (~wrong, "right")):
        if len(np.unique(patients[those])) < FEWEST:
            return f"fewer than {FEWEST} patients or images decided {word}"
    return ""


def warnings(made: Sequence[Finding], rates: Sequence[Finding]) -> Iterator[Note]:
    """One `quality-dependent` warning per measure whose Holm p is below .01."""
    for one in sorted(made, key=lambda f: f.p if f.p is not None else 1.0):
        if one.p_holm is None or one.p_holm >= P_VALUE or one.value is None:
            continue
        name = str(one.params["measure"])
        end = "high" if one.value > 0.5 else "low"
        text = (
            f"Errors go with {end} values of {MEASURES[name]}: a wrong decision measures higher "
            f"than a right one of the same label with chance {one.value:.0%} (Holm p "
            f"{_p(one.p_holm)}). {_ends(name, rates)}"
        )
        yield Note(code="quality-dependent", level="warning", text=text.strip())


def _ends(name: str, rates: Sequence[Finding]) -> str:
    mine = [
        f
        for f in rates
        if f.metric == "accuracy_by_quality" and f.params["measure"] == name and f.value is not None
    ]
    if len(mine) < 2:
        return ""
    first, last = mine[0], mine[-1]
    return (
        f"Accuracy {first.value:.1%} in quartile {first.params['quartile']} (lowest), "
        f"{last.value:.1%} in quartile {last.params['quartile']}."
    )


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}".replace("0.", ".")

"""Labels that speak against the model so clearly that a human should look at them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from audit.decision import log_odds, margin
from audit.draws import ranked
from audit.findings.frame import Frame, make_frame
from audit.findings.groups import make_groups
from audit.findings.measure import rate_finding
from audit.findings.proportions import limits, tabulate
from audit.findings.rates import CASES, FEWEST, Rate
from audit.findings.view import Bools, Floats, Ints, Label, confidence, finite_rows
from audit.metrics.confident_learning import margins, suspected
from audit.metrics.interval import Interval
from audit.metrics.label_noise import Lapse, lapse_rate
from audit.probes.registry import Examination, probe
from audit.results import Finding, Note, ProbeReport

RESAMPLES = 2000
MOST_LISTED = 200
MOST_ERRORS = 20
P_VALUE, LEAST = 0.005, 0.01  # of what no recalibration explains, before it is a warning
LEAST_ACCURATE = 0.7
LABEL = Label("clean", "none", "clean", {})


@dataclass(frozen=True)
class Judged:
    """The cases with a finite output: index into the subjects, logits, probabilities, labels."""

    cases: Ints
    logits: npt.NDArray[np.float32]
    probabilities: Floats
    labels: Ints

    @property
    def right(self) -> Bools:
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)


@probe("label_errors")
def label_errors(examination: Examination) -> ProbeReport:
    """Ranks labels to read again by confident learning (Northcutt et al. 2021).

    Findings: `label_errors_suspected` (off the diagonal of the confident joint / cases) and
    `label_errors_unexplained` (share of labels against the model at any confidence: what no
    recalibration of it explains). Details: `listed`, the suspected cases, the clearest first, with
    the label given, the class the model says, and the margin; `confident_errors`, the surest
    wrong decisions. Warning `label-noise` when the unexplained share is 1% or more at 97.5%
    one-sided and p < .005. A list for re-reading: the model may be what is wrong. No forwards.
    """
    judged = _judged(examination)
    reason = _cannot(judged)
    if reason:
        return ProbeReport(probe="label_errors", state="not applicable", reason=reason)
    flags = suspected(judged.probabilities, judged.labels)
    order = np.argsort(margins(judged.probabilities, judged.labels)[flags], kind="stable")
    listed = np.flatnonzero(flags)[order]
    frame = _frame(examination)
    lapse = _unexplained(examination, frame, judged)
    return ProbeReport(
        probe="label_errors",
        findings=(
            _share(frame, judged, flags),
            _unexplained_finding(frame, judged, lapse),
        ),
        notes=tuple(_notes(flags, lapse, len(judged.cases))),
        details={
            "suspected": int(flags.sum()),
            "listed": [_told(examination, judged, int(i)) for i in listed[:MOST_LISTED]],
            "confident_errors": _confident_errors(examination, judged),
        },
    )


def _judged(examination: Examination) -> Judged:
    predictions = examination.predictions
    rows = predictions.clean().rows
    use = finite_rows(rows.logits)
    cases = rows.case[use].astype(np.int64)
    logits = rows.logits[use]
    probabilities = softmax(logits.astype(np.float64), axis=1)
    return Judged(cases, logits, probabilities, predictions.targets[cases])


def _cannot(judged: Judged) -> str:
    """Why nothing can be said of the labels, or ""."""
    counts = np.bincount(judged.labels, minlength=2)
    if counts[counts > 0].min(initial=FEWEST) < FEWEST or (counts > 0).sum() < 2:
        return f"fewer than {FEWEST} cases of a class with a finite output"
    accuracy = float(judged.right.mean())
    if accuracy < LEAST_ACCURATE:
        return (
            f"the model agrees with {accuracy:.0%} of the labels: its errors would hide theirs "
            f"(at least {LEAST_ACCURATE:.0%} is asked)"
        )
    if len(np.unique(judged.probabilities.argmax(axis=1))) < 2:
        return "the model says one class only"
    return ""


def _frame(examination: Examination) -> Frame:
    predictions = examination.predictions
    groups = make_groups(predictions.subjects, [])
    return make_frame(predictions, groups, examination.seed, RESAMPLES)


def _unexplained(examination: Examination, frame: Frame, judged: Judged) -> Lapse:
    """Of one image per patient, drawn by the seed: the test takes cases for independent."""
    ids = [examination.predictions.subjects[int(index)].id for index in judged.cases]
    place = {case_id: row for row, case_id in enumerate(ids)}
    first: dict[int, int] = {}
    for case_id in ranked(examination.seed, ids, "label errors"):
        row = place[case_id]
        first.setdefault(int(frame.patients[judged.cases[row]]), row)
    rows = np.array(sorted(first.values()))
    positive = examination.predictions.decision.positive
    truth = judged.labels[rows] == positive
    return lapse_rate(margin(judged.logits[rows], positive), truth)


def _share(frame: Frame, judged: Judged, flags: Bools) -> Finding:
    everyone = np.ones(len(flags), dtype=bool)
    rate = Rate("label_errors_suspected", flags, everyone, everyone, CASES)
    table = tabulate(frame, judged.cases, [rate], frame.groups.members[judged.cases])
    low, high, method = limits(table)
    interval = Interval(float(low[0, 0]), float(high[0, 0]), str(method[0, 0]))
    return rate_finding(LABEL, {}, rate, table, (0, 0), interval)


def _unexplained_finding(frame: Frame, judged: Judged, lapse: Lapse) -> Finding:
    return Finding(
        metric="label_errors_unexplained",
        value=lapse.rate,
        low=lapse.low,
        high=lapse.high,
        method="profile likelihood",
        n=len(np.unique(frame.patients[judged.cases])),
        p=lapse.p,
        independent=not bool(frame.known[judged.cases].all()),
    )


def _told(examination: Examination, judged: Judged, row: int) -> dict[str, str | float]:
    predictions = examination.predictions
    said = int(judged.probabilities[row].argmax())
    given = int(judged.labels[row])
    return {
        "case": predictions.subjects[int(judged.cases[row])].id,
        "label": predictions.classes[given],
        "model": predictions.classes[said],
        "margin": round(float(margins(judged.probabilities, judged.labels)[row]), 4),
    }


def _confident_errors(examination: Examination, judged: Judged) -> list[dict[str, str | float]]:
    """The wrong decisions of the deployed rule, the surest first."""
    predictions = examination.predictions
    decided = predictions.decided(judged.logits)
    sure = confidence(judged.logits, decided)
    wrong = np.flatnonzero((decided != judged.labels) & (sure >= log_odds(0.5)))
    order = wrong[np.argsort(-sure[wrong], kind="stable")][:MOST_ERRORS]
    return [
        {
            "case": predictions.subjects[int(judged.cases[row])].id,
            "label": predictions.classes[int(judged.labels[row])],
            "decided": predictions.classes[int(decided[row])],
            "probability": round(float(judged.probabilities[row, decided[row]]), 4),
        }
        for row in order
    ]


def _notes(flags: Bools, lapse: Lapse, count: int) -> Iterator[Note]:
    text = (
        f"{int(flags.sum())} of {count} labels are worth reading again: the model is surer of "
        "another class than it usually is of that class. A list for re-reading, not a verdict: "
        "the model may be what is wrong."
    )
    if int(flags.sum()) > MOST_LISTED:
        text += f" The clearest {MOST_LISTED} are listed."
    yield Note(code="label-errors-list", level="info", text=text)
    if lapse.low >= LEAST and lapse.p < P_VALUE:
        text = (
            f"About {lapse.rate:.1%} of the labels (95% CI {lapse.low:.1%}–{lapse.high:.1%}) are "
            "against the model however sure it is, which no recalibration of its confidence "
            "explains: labels may be wrong, or the model is blind to some kind of case."
        )
        yield Note(code="label-noise", level="warning", text=text)

"""Whether scores may be read as probabilities: a test of each way in which they may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom, norm

from audit.decision import log_odds
from audit.evidence import Predictions
from audit.findings.cutoffs import HEADLINE
from audit.findings.handled import ONLY_REFER
from audit.findings.levels import views
from audit.findings.rates import FEWEST, truth
from audit.findings.view import Ints, View
from audit.metrics.calibration import Estimate, Sample, sample_of
from audit.metrics.calibration_line import in_the_large, slope
from audit.probes.masking.flags import under
from audit.probes.registry import Examination, probe
from audit.results import Note, ProbeReport

ALPHA = 0.01
FEWEST_MISSED = 2  # one may be a slip of the label


@dataclass(frozen=True)
class Missed:
    """Patients above the cut-off who were called negative, how many of them are positive, and
    how many the scores promise at most; `p` of as many or more by chance."""

    patients: int
    missed: int
    promised: float
    p: float


@probe("calibration")
def calibration(examination: Examination) -> ProbeReport:
    """Tests whether scores may be read as probabilities, for the model and under each defence.

    From the table of predictions without stress; no image goes through the network. Warnings, each
    at a two-sided p below .01 by errors clustered by patient: `calibration-overconfident` and
    `calibration-underconfident` (slope below or above 1), `calibration-in-the-large` (intercept
    other than 0). `confident-misses`: at least two patients with a positive image that was called
    negative above .995, and more than the scores promise (exact binomial test, p below .01; the
    promise is their own 1 - p, added up per patient and averaged, which errs on the quiet side).
    Nothing under a defence that only refers. No warning is no proof of calibration.

    Sources: Cox 1958, doi:10.1093/biomet/45.3-4.562; Hoeffding 1956, doi:10.1214/aoms/1177728178
    (the binomial tail bounds that of unequal chances).
    """
    notes: list[Note] = []
    details: dict[str, Any] = {}
    for evidence in examination.predictions.runs:
        if evidence.run.kind != "clean" or evidence.run.defence in ONLY_REFER:
            continue
        examination.check_time()
        (view,) = views(examination.predictions, evidence)
        if isinstance(view, View):
            found, told = _examined(examination.predictions, view)
            notes += found
            details[evidence.run.defence] = told
    if not details:
        reason = "no run without stress is complete"
        return ProbeReport(probe="calibration", state="not applicable", reason=reason)
    if not any(note.level == "warning" for note in notes):
        text = "No test found the scores other than probabilities. That is no proof that they are."
        notes.append(Note(code="calibration-none", level="info", text=text))
    return ProbeReport(probe="calibration", notes=tuple(notes), details=details)


def _examined(predictions: Predictions, view: View) -> tuple[list[Note], dict[str, Any]]:
    """What is to be said of one defence, and its numbers."""
    positive, patients = truth(predictions, view), _patients(predictions, view)
    notes: list[Note] = []
    told: dict[str, Any] = {}
    those = view.finite
    if min((positive & those).sum(), (~positive & those).sum()) < FEWEST:
        text = f"Fewer than {FEWEST} positives or negatives: no slope {under(view.label.defence)}."
        notes.append(Note(code="calibration-not-tested", level="info", text=text))
    else:
        everyone = np.ones((int(those.sum()), 1), dtype=bool)
        sample = sample_of(view.score[those], positive[those], patients[those], everyone)
        found, told = _line(sample, view.label.defence)
        notes += found
    missed = confident_misses(predictions, view, patients)
    told["above"] = {
        "cutoff": HEADLINE,
        "called_negative": missed.patients,
        "missed": missed.missed,
        "promised": _plain(missed.promised),
        "p": _plain(missed.p),
    }
    if missed.missed >= FEWEST_MISSED and missed.p < ALPHA:
        text = (
            f"Above {HEADLINE:.1%} confidence {missed.missed} of {missed.patients} patients called "
            f"negative {under(view.label.defence)} are positive; the scores promise at most "
            f"{missed.promised:.2g} (exact one-sided p {_small(missed.p)})."
        )
        notes.append(Note(code="confident-misses", level="warning", text=text))
    return notes, told


def _line(sample: Sample, defence: str) -> tuple[list[Note], dict[str, Any]]:
    notes = []
    spread, level = slope(sample), in_the_large(sample)
    told = {"slope": _numbers(spread, 1.0), "intercept": _numbers(level, 0.0)}
    where = f"{under(defence)} (n = {len(sample.score)})"
    if np.isnan(spread.value[0]):
        text = f"No slope {where}: positives and negatives do not overlap in score, or all tie."
        notes.append(Note(code="calibration-not-tested", level="info", text=text))
    elif _p(spread, 1.0) < ALPHA:
        below = spread.value[0] < 1
        code = "calibration-overconfident" if below else "calibration-underconfident"
        words = "too extreme" if below else "not extreme enough"
        text = (
            f"Scores are {words} {where}: calibration slope {_limits(spread)}, "
            f"p {_small(_p(spread, 1.0))} of a slope of 1."
        )
        notes.append(Note(code=code, level="warning", text=text))
    if _p(level, 0.0) < ALPHA:
        words = "fewer" if level.value[0] < 0 else "more"
        text = (
            f"There are {words} positives than the scores say {where}: intercept "
            f"{_limits(level)}, p {_small(_p(level, 0.0))} of 0. An enriched set does that too."
        )
        notes.append(Note(code="calibration-in-the-large", level="warning", text=text))
    return notes, told


def confident_misses(predictions: Predictions, view: View, patients: Ints) -> Missed:
    """Patients with an image called negative at or above the cut-off; those with a positive one.

    A patient's promise is the sum, over these images, of what is left of 1; it bounds the chance
    of any miss. Images that the model itself refers are not counted.
    """
    negative = (view.decided >= 0) & (view.decided != predictions.decision.positive)
    above = negative & (view.confidence >= log_odds(HEADLINE)) & ~view.referred
    if not above.any():
        return Missed(0, 0, 0.0, 1.0)
    who = np.unique(patients[above], return_inverse=True)[1]
    left = np.exp(-np.logaddexp(0.0, view.confidence[above]))
    promised = np.minimum(np.bincount(who, left), 1.0)
    missed = np.bincount(who, truth(predictions, view)[above]) > 0
    n, k = len(promised), int(missed.sum())
    p = float(binom.sf(k - 1, n, promised.mean()))
    return Missed(n, k, float(promised.sum()), p)


def _patients(predictions: Predictions, view: View) -> Ints:
    """(n,) a number per patient, its own where unknown."""
    names = [predictions.subjects[int(case)].patient for case in view.cases]
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    own = [len(known) + i if name is None else known[name] for i, name in enumerate(names)]
    return np.array(own, np.int64)


def _p(found: Estimate, right: float) -> float:
    """Two-sided p-value of the value being `right`; 1 where there is none."""
    if not found.error[0] > 0:
        return 1.0
    return float(2 * norm.sf(abs(found.value[0] - right) / found.error[0]))


def _limits(found: Estimate) -> str:
    low, high = found.limits()
    return f"{found.value[0]:.2f} (95% CI {low[0]:.2f} to {high[0]:.2f})"


def _numbers(found: Estimate, right: float) -> dict[str, float | None]:
    if np.isnan(found.value[0]):
        return {"value": None, "p": None}
    low, high = (float(limit[0]) for limit in found.limits())
    value = _plain(float(found.value[0]))
    return {"value": value, "low": _plain(low), "high": _plain(high), "p": _plain(_p(found, right))}


def _small(p: float) -> str:
    return "below .001" if p < 0.001 else f"{p:.3f}".replace("0.", ".", 1)


def _plain(value: float) -> float:
    """Six digits: what a reader may compare."""
    return float(f"{value:.6g}")

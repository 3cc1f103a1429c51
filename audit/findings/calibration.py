"""Whether the scores of a view are probabilities, for everyone and in every group."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audit.findings.frame import Frame
from audit.findings.handled import ONLY_REFER
from audit.findings.measure import Said, finding, valued
from audit.findings.proportions import EXACT, PATIENTS
from audit.findings.rates import CASES, FEWEST, NEGATIVES, POSITIVES, truth
from audit.findings.view import Bools, Floats, Ints, View
from audit.metrics.calibration import (
    Array,
    Estimate,
    Sample,
    brier,
    brier_limits,
    expected,
    observed_expected,
    sample_of,
)
from audit.metrics.calibration_error import calibration_error, reliability_bins
from audit.metrics.calibration_line import in_the_large, separated, slope
from audit.metrics.interval import Interval
from audit.metrics.proportion import clopper_pearson
from audit.results import Finding, Scalar

METRICS = ("calibration_intercept", "calibration_slope", "observed_expected", "brier", "ece")
SANDWICH = "sandwich"
LINEAR = "linearisation, log scale"
NOISE = "noise of the bins taken out"
APART = "the scores of positives and negatives do not overlap: no finite slope is the likeliest"
ALIKE = "all scores are alike"
SURE = "the scores are too sure of every case for one intercept to be the likeliest"
NO_FIT = "the likeliest slope was not found"
EXTREME = "the scores are too extreme for a standard error"


@dataclass(frozen=True)
class Column:
    """One metric in G groups: values, limits, the cases it counts, and why there is no value."""

    metric: str
    method: str
    value: Array
    low: Array
    high: Array
    sample: Sample
    reasons: tuple[str, ...]


def calibration(frame: Frame, view: View) -> Iterator[Finding]:
    """Intercept, slope, O:E, Brier score and ECE in every group; for everyone the reliability.

    Of the log-odds of the positive class. Cases without a finite output have no probability:
    they are left out (`n` says so), but for the Brier score, where they are wrong in full.
    Nothing under a defence that only refers (its scores are the model's), of an average, of a
    map's cells, or of several attacks joined, which have no one score.
    """
    unusable = view.share is not None or view.kept_only or view.everyone_only
    if unusable or view.label.defence in ONLY_REFER:
        return
    members = frame.groups.members[view.cases]
    enough, reasons = _enough(members, truth(frame.predictions, view), view.finite)
    found = _columns(frame, view, members[:, enough]) if len(enough) else ()
    columns = {column.metric: column for column in found}
    place = {int(group): at for at, group in enumerate(enough)}
    unknown = np.asarray(members[~frame.known[view.cases]].any(axis=0))
    counts = members[view.finite].sum(axis=0)
    for g, group in enumerate(frame.groups.names):
        for metric in METRICS:
            n, said = int(counts[g]), Said(reason=reasons[g])
            if g in place:
                n = int(columns[metric].sample.sizes[place[g]])
                said = _said(columns[metric], place[g])
            yield finding(metric, view.label, group, n=n, independent=bool(unknown[g]), **said)
    yield from _reliability(frame, view)


def _enough(members: Bools, positive: Bools, finite: Bools) -> tuple[Ints, list[str]]:
    """Groups with ten of each outcome, and for every group what it has too few of."""
    ill = members[positive & finite].sum(axis=0)
    well = members[~positive & finite].sum(axis=0)
    enough = np.flatnonzero((ill >= FEWEST) & (well >= FEWEST))
    missing = np.where(ill < FEWEST, POSITIVES, NEGATIVES)
    return enough, [f"fewer than {FEWEST} {word}" for word in missing]


def _columns(frame: Frame, view: View, members: Bools) -> Iterator[Column]:
    """Every metric of the groups of `members` (n, G)."""
    positive, patients = truth(frame.predictions, view), frame.patients[view.cases]
    those = view.finite
    whole = sample_of(view.score, positive, patients, members)
    sample = whole
    if not those.all():
        sample = sample_of(view.score[those], positive[those], patients[those], members[those])
    none = ("",) * len(sample.groups)
    level = in_the_large(sample)
    told = tuple(SURE if missing else "" for missing in np.isnan(level.value))
    yield _column("calibration_intercept", SANDWICH, level, sample, told)
    found = slope(sample)
    yield _column("calibration_slope", SANDWICH, found, sample, _no_slope(sample, found))
    few = expected(sample) < FEWEST
    words = f"fewer than {FEWEST} positives expected from the scores"
    reasons = tuple(words if one else "" for one in few)
    yield _column("observed_expected", LINEAR, observed_expected(sample), sample, reasons)
    yield Column("brier", LINEAR, brier(whole).value, *brier_limits(whole), whole, none)
    error = calibration_error(sample)
    yield Column("ece", NOISE, error.value, error.low, error.high, sample, none)


def _column(
    metric: str, method: str, found: Estimate, sample: Sample, reasons: tuple[str, ...]
) -> Column:
    low, high = found.limits()
    return Column(metric, method, found.value, low, high, sample, reasons)


def _no_slope(sample: Sample, found: Estimate) -> tuple[str, ...]:
    apart, missing = separated(sample), np.isnan(found.value)
    alike = np.minimum.reduceat(sample.score, sample.groups) == np.maximum.reduceat(
        sample.score, sample.groups
    )
    return tuple(
        "" if not none else ALIKE if same else APART if split else NO_FIT
        for none, same, split in zip(missing, alike, apart, strict=True)
    )


def _said(column: Column, at: int) -> Said:
    if column.reasons[at]:
        return {"reason": column.reasons[at]}
    value, low, high = (float(part[at]) for part in (column.value, column.low, column.high))
    if not all(map(math.isfinite, (value, low, high))):
        return {"reason": EXTREME}
    repeats = bool(column.sample.clusters[at] < column.sample.sizes[at])
    method = f"{column.method}, by patient" if repeats else column.method
    return valued(value, Interval(low, high, method), proportion=False)


def _reliability(frame: Frame, view: View) -> Iterator[Finding]:
    """For everyone: the share of positives in each bin of equal mass, and its mean probability.

    Where a patient has several images in a bin, as many trials as patients: in a bin that is few.
    """
    if not view.finite.any():
        return
    positive, patients = truth(frame.predictions, view), frame.patients[view.cases]
    known = frame.known[view.cases]
    members, mean = _bins(view.score, view.finite)
    for place, inside in enumerate(members.T):
        n, events = int(inside.sum()), int((positive & inside).sum())
        params: dict[str, Scalar] = {
            "bin": place + 1,
            "bins": members.shape[1],
            "mean_score": round(float(mean[place]), 6),
        }
        if n < FEWEST:
            said = Said(reason=f"fewer than {FEWEST} {CASES}")
        else:
            trials = len(np.unique(patients[inside]))
            low, high = clopper_pearson(events / n * trials, trials)
            method = EXACT if trials == n else PATIENTS
            said = valued(events / n, Interval(float(low), float(high), method))
        yield finding(
            "reliability",
            view.label,
            {},
            n=n,
            events=events,
            independent=not bool(known[inside].all()),
            params=params,
            **said,
        )


def _bins(score: Floats, finite: Bools) -> tuple[Bools, Array]:
    """(n,) scores -> (n, B) members of each bin, and its mean probability (B,)."""
    members, mean = reliability_bins(score[finite])
    inside = np.zeros((len(score), members.shape[1]), dtype=bool)
    inside[finite] = members
    return inside, mean

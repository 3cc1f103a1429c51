"""Points of the ROC curve and the area under part of it, for a sample and for its resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import t as student

from audit.metrics.bootstrap import Resampling
from audit.metrics.interval import LEVEL, Interval
from audit.metrics.proportion import clopper_pearson, jeffreys

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
_BLOCK = 1_000_000  # numbers held at once
_DUST = 1e-9


@dataclass(frozen=True)
class Curve:
    """(B, K + 1) shares of the negatives (`out`) and positives (`up`) at or above each distinct
    score, from none to all: ROC curves of B resamples over the same K scores."""

    out: Array
    up: Array


@dataclass(frozen=True)
class Points:
    """What to read off a curve."""

    specificities: tuple[float, ...]
    sensitivities: tuple[float, ...]
    max_fpr: float


def sensitivity_at(scores: Array, positive: Bools, specificity: float) -> float:
    """Sensitivity where the specificity is as given, on the line between two thresholds if need be.

    >>> scores, positive = np.arange(8.0), np.array([0, 0, 1, 0, 0, 1, 1, 1], bool)
    >>> sensitivity_at(scores, positive, 0.75)  # above the three lowest of four negatives
    0.75
    """
    return float(_height(curve(scores, positive), 1 - specificity)[0])


def specificity_at(scores: Array, positive: Bools, sensitivity: float) -> float:
    """Specificity where the sensitivity is as given."""
    return sensitivity_at(-scores, ~positive, sensitivity)


def partial_auroc(scores: Array, positive: Bools, max_fpr: float) -> float:
    """Area under the ROC curve up to a false-positive rate, from 0.5 (chance) to 1 (McClish 1989,
    doi:10.1177/0272989X8900900307).

    >>> float(partial_auroc(np.arange(4.0), np.array([False, False, True, True]), 0.1))
    1.0
    """
    return float(standardised(_area(curve(scores, positive), max_fpr), max_fpr)[0])


def standardised(area: Array, max_fpr: float) -> Array:
    least = max_fpr**2 / 2
    return (1 + (area - least) / (max_fpr - least)) / 2


def curve(scores: Array, positive: Bools, weights: npt.NDArray[np.uint8] | None = None) -> Curve:
    """Of (N,) scores; with `weights` (B, N), of each resample. Both classes must be there."""
    order = np.argsort(-scores, kind="stable")
    drawn = np.ones((1, len(scores)), np.uint8) if weights is None else weights
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    up, out = (_shares(drawn, order, last, those[order]) for those in (positive, ~positive))
    return Curve(out, up)


def read(found: Curve, points: Points) -> Array:
    """(B, M): sensitivity at each specificity, specificity at each sensitivity, partial AUROC."""
    turned = Curve(1 - found.up[:, ::-1], 1 - found.out[:, ::-1])  # negatives for positives
    columns = [_height(found, 1 - at) for at in points.specificities]
    columns += [_height(turned, 1 - at) for at in points.sensitivities]
    return np.stack([*columns, standardised(_area(found, points.max_fpr), points.max_fpr)], axis=1)


def resampled(scores: Array, positive: Bools, points: Points, resampling: Resampling) -> Array:
    """`read` of every resample (B, M). `resampling`: of these cases, stratified by outcome, so
    that both classes are in each; a resample that lacks one gives NaN."""
    drawn = resampling.weights
    step = max(1, _BLOCK // max(1, len(scores)))
    blocks = [
        read(curve(scores, positive, drawn[start : start + step][:, resampling.patients]), points)
        for start in range(0, len(drawn), step)
    ]
    return np.concatenate(blocks)


def point_limits(value: float, draws: Array, images: int, patients: int) -> Interval:
    """95% limits of a sensitivity at a fixed specificity (or the other way round).

    Jeffreys's for as many trials as would vary as the resamples do, threshold and all: at most
    the `images` of the class, and at 0 or 1, where resamples do not vary, its `patients`.
    Percentiles and normal limits cover too rarely there. Source of the resamples: Zhou & Qin
    2005, doi:10.1002/sim.1895; of the effective trials: Korn & Graubard 1998 (Survey
    Methodology 24:193).
    """
    spread = float(np.nanvar(draws))
    inside = spread > 0 and 0 < value < 1
    trials = min(images, value * (1 - value) / spread) if inside else patients
    low, high = jeffreys(value * trials, trials)
    return Interval(float(low), float(high), "Jeffreys on the bootstrap's variance")


def area_limits(value: float, draws: Array, trials: float) -> Interval:
    """95% limits of a partial AUROC: its bootstrap error on the logit scale, as for the AUROC.

    `trials` (2 or more): patients of the rarer class, of the negatives only those the area is
    about. They are few even in a large sample, hence Student's quantile. At 1, where resamples
    do not vary, Clopper-Pearson's for so many.
    """
    spread = float(np.nanstd(draws))
    if not 0 < value < 1 or not spread > 0:
        low, high = clopper_pearson(value * trials, trials)
        return Interval(float(low), float(high), "Clopper-Pearson on the rarer class")
    half = float(student.ppf((1 + LEVEL) / 2, trials - 1)) * spread / (value * (1 - value))
    low, high = expit(logit(value) - half), expit(logit(value) + half)
    return Interval(float(low), float(high), "bootstrap, logit scale")


def _shares(drawn: npt.NDArray[np.uint8], order: Ints, last: Ints, those: Bools) -> Array:
    """(B, N) weights -> (B, K + 1) share of `those` at or above each of the K distinct scores."""
    mine = order[those]
    seen = np.zeros((len(drawn), len(mine) + 1), np.float32)  # counts: exact below 2**24
    np.cumsum(drawn[:, mine], axis=1, dtype=np.float32, out=seen[:, 1:])
    upto = np.concatenate([[0], np.cumsum(those)[last]])
    with np.errstate(invalid="ignore"):
        return np.asarray(seen[:, upto] / seen[:, -1:].astype(np.float64))


def _height(found: Curve, fpr: float) -> Array:
    """(B,) sensitivity at a false-positive rate: the highest there is."""
    at = (found.out <= fpr + _DUST).sum(axis=1) - 1
    row = np.arange(len(at))
    after = np.minimum(at + 1, found.out.shape[1] - 1)
    run = found.out[row, after] - found.out[row, at]
    rise = found.up[row, after] - found.up[row, at]
    part = np.where(run > 0, (fpr - found.out[row, at]) / np.where(run > 0, run, 1), 0.0)
    return np.asarray(found.up[row, at] + np.clip(part, 0, 1) * rise)


def _area(found: Curve, max_fpr: float) -> Array:
    """(B,) area up to a false-positive rate; a line between two points is cut where it ends."""
    run = np.diff(found.out, axis=1)
    used = np.diff(np.minimum(found.out, max_fpr), axis=1)
    rise = np.diff(found.up, axis=1)
    part = np.divide(used, run, out=np.zeros_like(used), where=run > 0)
    parts = used * (found.up[:, :-1] + part * rise / 2)
    return np.asarray(parts.sum(axis=1, dtype=np.float64))

"""The straight line from scores to outcomes, in log-odds: its intercept and its slope."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from audit.metrics.calibration import Array, Bools, Estimate, Sample

_STEPS = 60
_TIGHT = 1e-10  # of a standardised coefficient, when a fit is done
_FLAT = 1e-6  # information below which no intercept is likelier than another
_SURE = 10.0  # cases' worth of chance; below that a sandwich sees too little of it


def in_the_large(sample: Sample) -> Estimate:
    """a of logit P = a + score, by maximum likelihood; 0 where the average is right.

    Above 0 positives are commoner than the scores say. NaN where only one outcome occurs, or where
    the scores are too sure for any intercept to be the likeliest. Its error is a sandwich over
    patients, and where hardly a case is uncertain at least that of the model. Sources: Cox 1958,
    doi:10.1093/biomet/45.3-4.562; White 1982, doi:10.2307/1912526 (errors that do not take the
    model for true).

    >>> from audit.metrics.calibration import one_group
    >>> round(in_the_large(one_group([0.0] * 4, [True, True, True, False])).value.item(), 4)
    1.0986
    """
    share = sample.total(sample.positive) / sample.sizes
    with np.errstate(divide="ignore"):
        base = logit(share)
    # At these ends every probability is above, or below, the share of positives.
    low = base - np.maximum.reduceat(sample.score, sample.groups)
    high = base - np.minimum.reduceat(sample.score, sample.groups)
    one_outcome = ~np.isfinite(base)
    low, high = np.where(one_outcome, 0.0, low), np.where(one_outcome, 0.0, high)
    value = np.clip(0.0, low, high)
    for _ in range(_STEPS):
        p = expit(sample.score + sample.spread(value))
        slack = sample.total(sample.positive - p)
        low, high = np.where(slack > 0, value, low), np.where(slack < 0, value, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = value + slack / sample.total(p * (1 - p))
        inside = (step >= low) & (step <= high)
        moved = np.where(inside, step, (low + high) / 2)
        done = np.abs(moved - value).max() < _TIGHT
        value = moved
        if done:
            break
    return Estimate(*_with_error(sample, value, one_outcome))


def _with_error(sample: Sample, value: Array, one_outcome: Bools) -> tuple[Array, Array]:
    p = expit(sample.score + sample.spread(value))
    rest = sample.by_patient(sample.positive - p)
    information = sample.total(p * (1 - p))
    flat = one_outcome | (information < _FLAT)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(sample.product(rest, rest)) / information
        # Where the scores are sure of nearly every case and nothing went wrong, what was seen
        # varies less than what could have happened.
        error = np.where(information < _SURE, np.maximum(error, information**-0.5), error)
    return np.where(flat, np.nan, value), np.where(flat, np.nan, error)


def separated(sample: Sample) -> Bools:
    """(G,) whether the outcomes do not overlap in score, so that no finite slope is the likeliest.

    Source: Albert & Anderson 1984, doi:10.1093/biomet/71.1.1.
    """
    bottom = [np.where(sample.positive == y, sample.score, np.inf) for y in (True, False)]
    top = [np.where(sample.positive == y, sample.score, -np.inf) for y in (True, False)]
    lowest = [np.minimum.reduceat(part, sample.groups) for part in bottom]
    highest = [np.maximum.reduceat(part, sample.groups) for part in top]
    return np.asarray((highest[1] <= lowest[0]) | (highest[0] <= lowest[1]))


def slope(sample: Sample) -> Estimate:
    """b of logit P = a + b · score, by maximum likelihood; 1 where scores spread as they should.

    Below 1 the scores are too extreme (overconfident): a model whose scores are T times too large
    has 1 / T. NaN where the outcomes do not overlap. Its error is a sandwich over patients.
    Source: Cox 1958, doi:10.1093/biomet/45.3-4.562.

    >>> from audit.metrics.calibration import one_group
    >>> score = np.log([1 / 3, 1 / 3, 1 / 3, 1 / 3, 3, 3, 3, 3])
    >>> truth = [True, False, False, False, True, True, True, False]
    >>> round(slope(one_group(score, truth)).value.item(), 4), round(
    ...     slope(one_group(2 * score, truth)).value.item(), 4
    ... )
    (1.0, 0.5)
    """
    mean = sample.total(sample.score) / sample.sizes
    centred = sample.score - sample.spread(mean)
    width = np.sqrt(sample.total(centred**2) / sample.sizes)
    none = separated(sample)
    width = np.where(none | (width == 0), 1.0, width)
    z = centred / sample.spread(width)
    value = np.stack([np.where(none, 0.0, logit(_share(sample))), np.zeros(len(mean))])
    done = none.copy()
    for _ in range(_STEPS):
        fitted = _fitted(sample, z, value)
        step = _solved(fitted[1], fitted[0])
        value = value + np.where(done, 0.0, step)
        done |= np.abs(step).max(axis=0) < _TIGHT
        if done.all():
            break
    with np.errstate(invalid="ignore"):  # where there is no fit
        error = _sandwich(sample, z, value)
    missing = none | ~done
    return Estimate(
        np.where(missing, np.nan, value[1] / width), np.where(missing, np.nan, error / width)
    )


def _share(sample: Sample) -> Array:
    inner = np.clip(sample.total(sample.positive), 0.5, sample.sizes - 0.5)
    return np.asarray(inner / sample.sizes)


def _fitted(sample: Sample, z: Array, value: Array) -> tuple[Array, Array]:
    """Gradient (2, G) and information (3, G: aa, ab, bb) of the logarithm of the likelihood."""
    p = expit(sample.spread(value[0]) + sample.spread(value[1]) * z)
    rest, weight = sample.positive - p, p * (1 - p)
    gradient = np.stack([sample.total(rest), sample.total(rest * z)])
    parts = (weight, weight * z, weight * z * z)
    return gradient, np.stack([sample.total(part) for part in parts])


def _solved(information: Array, right: Array) -> Array:
    """(3, G) symmetric 2 × 2 matrices, (2, G) -> their solutions (2, G)."""
    aa, ab, bb = information
    with np.errstate(divide="ignore", invalid="ignore"):
        determinant = aa * bb - ab * ab
        return np.stack(
            [
                (bb * right[0] - ab * right[1]) / determinant,
                (aa * right[1] - ab * right[0]) / determinant,
            ]
        )


def _sandwich(sample: Sample, z: Array, value: Array) -> Array:
    """(G,) standard error of b, over patients, of a standardised score z."""
    p = expit(sample.spread(value[0]) + sample.spread(value[1]) * z)
    rest = sample.positive - p
    one, two = sample.by_patient(rest), sample.by_patient(rest * z)
    _, information = _fitted(sample, z, value)
    # The second row of the inverse information, times the sums of each patient.
    unit = np.stack([np.zeros(len(sample.groups)), np.ones(len(sample.groups))])
    row = _solved(information, unit)
    inner = (
        row[0] ** 2 * sample.product(one, one)
        + 2 * row[0] * row[1] * sample.product(one, two)
        + row[1] ** 2 * sample.product(two, two)
    )
    return np.asarray(np.sqrt(np.maximum(inner, 0.0)))

"""How often 95% intervals hold the truth: of samples drawn from a known population.

93 to 97% over 1,000 samples; where a method is on the wide side by construction (Clopper-Pearson),
never less than 95% but for the error of the simulation. Quick: 150 samples and wide bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from audit.metrics.agreement import cross_table, kappa, kappa_limits
from audit.metrics.auroc import auroc_interval, roc
from audit.metrics.auroc_difference import group_difference, paired_difference
from audit.metrics.bootstrap import (
    patient_sums,
    percentile_limits,
    resample,
    resampled_ratios,
    resampled_totals,
)
from audit.metrics.proportion import bonett_price, clopper_pearson, newcombe, wilson
from audit.metrics.selective import aurc, aurc_limits

Rng = np.random.Generator
Simulation = Callable[[Rng], bool]
RESAMPLES = 500


def covers(limits: object, truth: float) -> bool:
    low, high = (float(x) for x in tuple(limits)[:2])  # type: ignore[call-overload]
    return low <= truth <= high


def binomial(method: Callable[..., object], n: int, p: float) -> Simulation:
    return lambda rng: covers(method(rng.binomial(n, p), n), p)


def newcombe_of(n: int, p: float, m: int, q: float) -> Simulation:
    return lambda rng: covers(newcombe(rng.binomial(n, p), n, rng.binomial(m, q), m), p - q)


def bonett_price_of(n: int, p: float, q: float) -> Simulation:
    def one(rng: Rng) -> bool:
        gained, lost, _ = rng.multinomial(n, [p, q, 1 - p - q])
        return covers(bonett_price(gained, lost, n), p - q)

    return one


def delong(m: int, n: int, area: float) -> Simulation:
    shift = norm.ppf(area) * 2**0.5
    positive, who = np.arange(m + n) < m, np.arange(m + n)

    def one(rng: Rng) -> bool:
        return covers(
            auroc_interval(roc(rng.normal(0, 1, m + n) + shift * positive, positive, who)), area
        )

    return one


def clustered_delong(patients: int, images: int) -> Simulation:
    """Patients whose images are alike; the area of N(1, 1.25) against N(0, 1.25)."""
    who = np.repeat(np.arange(patients), images)
    positive = who < 0.4 * patients
    area = float(norm.cdf(1 / 2.5**0.5))

    def one(rng: Rng) -> bool:
        score = positive + rng.normal(0, 1, patients)[who] + rng.normal(0, 0.5, len(who))
        return covers(auroc_interval(roc(score, positive, who)), area)

    return one


def paired_delong(patients: int, images: int) -> Simulation:
    """Two scores that share the patient's part; their areas differ."""
    who = np.repeat(np.arange(patients), images)
    positive = who < 0.4 * patients
    areas = [float(norm.cdf(d / 3**0.5)) for d in (1.6, 1.1)]

    def one(rng: Rng) -> bool:
        shared = rng.normal(0, 1, patients)[who]
        first, second = (
            roc(d * positive + shared + rng.normal(0, 0.5**0.5, len(who)), positive, who)
            for d in (1.6, 1.1)
        )
        return covers(paired_difference(first, second), areas[0] - areas[1])

    return one


def delong_of_groups(patients: int) -> Simulation:
    """A frontal and a lateral image of each patient; the two views share the patient's part."""
    positive, who = np.arange(patients) < 0.4 * patients, np.arange(patients)
    areas = [float(norm.cdf(d / 3**0.5)) for d in (1.6, 1.1)]

    def one(rng: Rng) -> bool:
        shared = rng.normal(0, 1, patients)
        first, second = (
            roc(d * positive + shared + rng.normal(0, 0.5**0.5, patients), positive, who)
            for d in (1.6, 1.1)
        )
        return covers(group_difference(first, second), areas[0] - areas[1])

    return one


def seed(rng: Rng) -> int:
    return int(rng.integers(1 << 30))


def bootstrap_of_rates(patients: int, images: int, p: float) -> Simulation:
    """Images of a patient alike (beta-binomial)."""
    who = np.repeat(np.arange(patients), images)

    def one(rng: Rng) -> bool:
        right = rng.random(len(who)) < rng.beta(2 * p, 2 * (1 - p), patients)[who]
        drawn = resample(who, None, RESAMPLES, seed(rng))
        sums = patient_sums(drawn, np.stack([right, np.ones(len(who))], axis=1))
        low, high = percentile_limits(resampled_ratios(drawn, sums[:, :1], sums[:, 1:]))
        return covers((low[0], high[0]), p)

    return one


def bootstrap_of_differences(patients: int, images: int) -> Simulation:
    """The same images twice: right in 85% and in 75%."""
    who = np.repeat(np.arange(patients), images)

    def one(rng: Rng) -> bool:
        mood = rng.normal(0, 1, patients)[who]
        first, second = (
            (0.6**0.5 * mood + 0.4**0.5 * rng.normal(0, 1, len(who))) < norm.ppf(p)
            for p in (0.85, 0.75)
        )
        drawn = resample(who, None, RESAMPLES, seed(rng))
        change = first.astype(float) - second
        sums = patient_sums(drawn, np.stack([change, np.ones(len(who))], axis=1))
        low, high = percentile_limits(resampled_ratios(drawn, sums[:, :1], sums[:, 1:]))
        return covers((low[0], high[0]), 0.10)

    return one


@lru_cache
def true_kappa(correlation: float) -> float:
    """Of two readers who call what lies beyond 0.5 of scores that correlate."""
    both = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([-0.5, -0.5])
    p = norm.sf(0.5)
    cells = np.array([[1 - 2 * p + both, p - both], [p - both, both]])
    return float(kappa(cells))


def kappa_of(patients: int, images: int) -> Simulation:
    """Readers agree through the image and, more alike, through the patient."""
    who = np.repeat(np.arange(patients), images)
    truth = true_kappa(0.8)

    def one(rng: Rng) -> bool:
        case = 0.5**0.5 * rng.normal(0, 1, patients)[who] + 0.3**0.5 * rng.normal(0, 1, len(who))
        first, second = (
            (case + 0.2**0.5 * rng.normal(0, 1, len(who)) > 0.5).astype(np.int64) for _ in (0, 1)
        )
        if images == 1:
            return covers(kappa_limits(cross_table(first, second, 2)), truth)
        drawn = resample(who, None, RESAMPLES, seed(rng))
        cells = np.eye(4)[first * 2 + second]
        tables = resampled_totals(drawn, patient_sums(drawn, cells)).astype(float)
        low, high = percentile_limits(kappa(tables.reshape(-1, 2, 2))[:, None])
        return covers((low[0], high[0]), truth)

    return one


def ranked(rng: Rng, patients: int, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, whether wrong, and patients; the surer, the seldomer wrong."""
    who = np.repeat(np.arange(patients), images)
    sure = rng.normal(0, 0.8, patients)[who] + rng.normal(0, 0.6, len(who))
    return sure, rng.random(len(who)) < 1 / (1 + np.exp(1 + 1.2 * sure)), who


@lru_cache
def true_aurc() -> float:
    sure, wrong, _ = ranked(np.random.default_rng(0), 400_000, 1)
    return float(aurc(sure, wrong))


def aurc_of(patients: int, images: int) -> Simulation:
    def one(rng: Rng) -> bool:
        sure, wrong, who = ranked(rng, patients, images)
        return covers(
            aurc_limits(sure, wrong, resample(who, None, RESAMPLES, seed(rng))), true_aurc()
        )

    return one


NOMINAL = {
    "Wilson, 80 of 0.85": binomial(wilson, 80, 0.85),
    "Wilson, 200 of 0.95": binomial(wilson, 200, 0.95),
    "Newcombe, 80 and 50": newcombe_of(80, 0.9, 50, 0.75),
    "Newcombe, 40 and 200": newcombe_of(40, 0.8, 200, 0.85),
    "Bonett-Price, 80": bonett_price_of(80, 0.15, 0.05),
    "Bonett-Price, 300": bonett_price_of(300, 0.06, 0.03),
    "DeLong, 40 + 80": delong(40, 80, 0.85),
    "DeLong, 50 + 200": delong(50, 200, 0.95),
    "clustered DeLong": clustered_delong(80, 3),
    "paired DeLong": paired_delong(150, 1),
    "clustered paired DeLong": paired_delong(100, 3),
    "DeLong of two views": delong_of_groups(120),
    "patient bootstrap, 80": bootstrap_of_rates(80, 3, 0.8),
    "patient bootstrap, 200": bootstrap_of_rates(200, 2, 0.9),
    "patient bootstrap of a difference": bootstrap_of_differences(120, 3),
    "kappa": kappa_of(150, 1),
    "kappa by patient": kappa_of(100, 3),
    "aurc": aurc_of(250, 1),
    "aurc by patient": aurc_of(150, 2),
}
WIDE = {
    "Clopper-Pearson, 30 of 0.9": binomial(clopper_pearson, 30, 0.9),
    "Clopper-Pearson, 80 of 0.85": binomial(clopper_pearson, 80, 0.85),
    "Clopper-Pearson, 600 of 0.995": binomial(clopper_pearson, 600, 0.995),
}


def coverage(simulation: Simulation, samples: int) -> float:
    rng = np.random.default_rng(20)
    return float(np.mean([simulation(rng) for _ in range(samples)]))


@pytest.mark.parametrize("name", [*NOMINAL, *WIDE])
def test_an_interval_is_not_far_from_what_it_promises(name: str) -> None:
    assert coverage({**NOMINAL, **WIDE}[name], 150) >= 0.89


@pytest.mark.slow
@pytest.mark.parametrize("name", NOMINAL)
def test_95_percent_intervals_hold_the_truth_in_93_to_97_percent(name: str) -> None:
    assert 0.93 <= coverage(NOMINAL[name], 1000) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_exact_intervals_hold_the_truth_in_no_less_than_95_percent(name: str) -> None:
    error = (0.95 * 0.05 / 1000) ** 0.5
    assert coverage(WIDE[name], 1000) >= 0.95 - 2 * error

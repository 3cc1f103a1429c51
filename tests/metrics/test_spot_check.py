"""Spot-check sizes: against scipy's beta and hypergeometric by brute force, and by drawing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, hypergeom

from audit.metrics.spot_check import detection_chance, spot_check_size


@pytest.mark.parametrize("level", [0.002, 0.005, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("allowed", [0, 1, 2, 5])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_it_is_the_first_size_whose_upper_limit_is_at_the_level(level, allowed, confidence):
    size = spot_check_size(level, allowed, confidence=confidence)

    def upper(n: int) -> float:  # Clopper-Pearson, one-sided
        return beta.ppf(confidence, allowed + 1, n - allowed) if n > allowed else 1.0

    assert upper(size) <= level + 1e-12
    assert upper(size - 1) > level


def test_the_sizes_everybody_quotes() -> None:
    assert spot_check_size(0.005) == 598
    assert spot_check_size(0.01) == 299
    assert spot_check_size(0.05) == 59


@pytest.mark.parametrize("population", [10, 60, 400])
@pytest.mark.parametrize("level", [0.005, 0.01, 0.1])
@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_among_a_finite_number_it_is_found_by_trying_every_size(population, level, allowed):
    missed = max(1, int(np.ceil(round(level * population, 9))))
    fits = [
        n
        for n in range(allowed + 1, population + 1)
        if hypergeom.cdf(allowed, population, missed, n) <= 0.05
    ]
    expected = fits[0] if fits and missed > allowed else None
    assert spot_check_size(level, allowed, population=population) == expected


def test_a_plan_passes_a_true_rate_at_the_level_in_one_of_twenty_at_most() -> None:
    rng = np.random.default_rng(0)
    population, level = 1000, 0.01
    size = spot_check_size(level, 0, population=population)
    found = rng.hypergeometric(10, population - 10, size, 20_000)
    assert np.mean(found == 0) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 20_000)
    noticed = detection_chance(size, 0, 0.02, population=population)
    assert np.mean(rng.hypergeometric(20, 980, size, 20_000) > 0) == pytest.approx(
        noticed, abs=0.01
    )


def test_an_endless_supply_is_the_limit_of_a_large_one() -> None:
    assert spot_check_size(0.005, 1, population=10**7) == pytest.approx(
        spot_check_size(0.005, 1), abs=1
    )

"""Risk and coverage against loops over every coverage and every order of the ties."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest

from audit.metrics.bootstrap import resample
from audit.metrics.selective import aurc, aurc_limits, surest


def by_hand(confidence: np.ndarray, wrong: np.ndarray) -> float:
    """The mean over all orders that put the surer first, over all coverages."""
    areas = []
    for order in permutations(range(len(wrong))):
        if all(confidence[a] >= confidence[b] for a, b in pairwise(order)):
            errors = np.cumsum(wrong[list(order)])
            areas.append(np.mean(errors / np.arange(1, len(wrong) + 1)))
    return float(np.mean(areas))


@pytest.mark.parametrize("seed", range(6))
def test_the_area_is_the_mean_risk_over_all_orders_of_the_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = rng.integers(0, 4, 7).astype(float)
    wrong = rng.random(7) < 0.4
    assert aurc(confidence, wrong) == pytest.approx(by_hand(confidence, wrong))


def test_confidence_that_says_nothing_gives_the_error_rate_and_perfect_order_the_least() -> None:
    wrong = np.array([True] * 3 + [False] * 9)
    assert aurc(np.zeros(12), wrong) == pytest.approx(0.25)
    best, worst = aurc(-wrong.astype(float), wrong), aurc(wrong.astype(float), wrong)
    assert best < 0.25 < worst


def test_the_surest_share_takes_ties_together_and_never_nobody() -> None:
    confidence = np.array([5.0, 5.0, 4.0, 1.0, 1.0])
    assert surest(confidence, 0.01).sum() == 2
    assert surest(confidence, 0.6).sum() == 3
    assert surest(confidence, 0.7).sum() == 5
    assert surest(confidence, 1.0).all()


def test_the_limits_are_the_percentiles_of_areas_of_resampled_patients() -> None:
    rng = np.random.default_rng(0)
    patients = rng.integers(0, 40, 90)
    confidence, wrong = rng.normal(0, 1, 90), rng.random(90) < 0.3
    drawn = resample(patients, None, 400, seed=1)
    areas = []
    for weights in drawn.weights:
        copies = np.repeat(np.arange(90), weights[drawn.patients].astype(int))
        areas.append(aurc(confidence[copies], wrong[copies]))
    low, high = aurc_limits(confidence, wrong, drawn)
    # copies of a case are ties: taken in random order here, in the order of cases there
    assert (low, high) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])), abs=0.01)


def test_without_errors_the_area_and_its_limits_are_zero() -> None:
    drawn = resample(np.arange(30), None, 200, seed=0)
    nothing = np.zeros(30, dtype=bool)
    assert aurc(np.arange(30.0), nothing) == 0
    assert aurc_limits(np.arange(30.0), nothing, drawn) == (0, 0)

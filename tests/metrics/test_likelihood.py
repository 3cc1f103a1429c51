"""Likelihood ratios and predictive values against counts, statsmodels, Mercaldo and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from audit.metrics.likelihood import predictive_value, ratio, ratio_limits


def test_the_ratio_is_the_quotient_of_two_shares() -> None:
    assert ratio(45, 50, 20, 100) == pytest.approx((45 / 50) / (20 / 100))
    assert ratio(0, 50, 20, 100) == 0.0
    assert ratio(1, 50, 0, 100) == np.inf
    assert np.isnan(ratio(0, 50, 0, 100))


def test_limits_equal_the_score_limits_of_statsmodels() -> None:
    draw = np.random.default_rng(4)
    for _ in range(60):
        m, k = draw.integers(10, 300, 2)
        x, y = (
            int(draw.integers(1, m)),
            int(draw.integers(1, k)),
        )  # statsmodels fails at x = m, y = k
        expected = confint_proportions_2indep(
            x, m, y, k, compare="ratio", method="score", correction=False
        )
        np.testing.assert_allclose(ratio_limits(x, m, y, k), expected, rtol=1e-6)


def likeliest(x: int, m: int, y: int, k: int, theta: float) -> float:
    """The q that maximises the likelihood of p = theta·q and q, where its slope is 0."""

    def slope(q: float) -> float:
        return x / q - theta * (m - x) / (1 - theta * q) + y / q - (k - y) / (1 - q)

    return float(brentq(slope, 1e-12, min(1, 1 / theta) - 1e-12))


@pytest.mark.parametrize("counts", [(36, 40, 16, 80), (5, 30, 44, 50), (18, 20, 2, 200)])
def test_at_each_limit_the_score_statistic_is_the_normal_quantile(
    counts: tuple[int, int, int, int],
) -> None:
    x, m, y, k = counts
    for limit in ratio_limits(*counts):
        theta = float(limit)
        q = likeliest(*counts, theta)
        p = theta * q
        chi = (x - m * p) ** 2 / (m * p * (1 - p)) + (y - k * q) ** 2 / (k * q * (1 - q))
        assert chi == pytest.approx(norm.ppf(0.975) ** 2, rel=1e-6)


def test_a_count_of_zero_leaves_one_end_open_and_the_other_known() -> None:
    low, high = ratio_limits(0, 40, 10, 80)
    assert low == 0
    assert 0 < high < 2
    low, high = ratio_limits(30, 40, 0, 80)
    assert high == np.inf
    assert low == pytest.approx(1 / float(ratio_limits(0, 80, 30, 40)[1]), rel=1e-9)
    assert [float(v) for v in ratio_limits(0, 40, 0, 80)] == [0, np.inf]


def test_turning_the_ratio_round_turns_its_limits_round() -> None:
    low, high = ratio_limits(24, 30, 12, 90)
    other_low, other_high = ratio_limits(12, 90, 24, 30)
    assert (float(1 / high), float(1 / low)) == pytest.approx((float(other_low), float(other_high)))


@pytest.mark.parametrize(
    ("m", "k", "sens", "spec"),
    [(50, 100, 0.9, 0.8), (100, 400, 0.95, 0.98), (20, 20, 0.9, 0.9), (400, 600, 0.9, 0.6)],
)
def test_both_ratios_cover_as_often_as_they_claim(m: int, k: int, sens: float, spec: float) -> None:
    draw = np.random.default_rng(1)
    hits, alarms = draw.binomial(m, sens, 5000), draw.binomial(k, 1 - spec, 5000)
    for true, counts in (
        (sens / (1 - spec), (hits, m, alarms, k)),
        ((1 - sens) / spec, (m - hits, m, k - alarms, k)),
    ):
        low, high = ratio_limits(*counts)
        assert 0.93 < ((low <= true) & (true <= high)).mean() < 0.975


def by_bayes(sens: float, spec: float, share: float) -> tuple[float, float]:
    hit, alarm = share * sens, (1 - share) * (1 - spec)
    quiet, missed = (1 - share) * spec, share * (1 - sens)
    return hit / (hit + alarm), quiet / (quiet + missed)


@pytest.mark.parametrize("share", [0.02, 0.18, 0.5, 0.9])
def test_predictive_values_are_those_of_the_four_cells(share: float) -> None:
    ppv, npv = by_bayes(0.9, 0.8, share)
    assert predictive_value(0.9 / 0.2, share) == pytest.approx(ppv)
    assert 1 - predictive_value(0.1 / 0.8, share) == pytest.approx(npv)


def test_a_ratio_without_bound_is_certainty_and_of_zero_the_opposite() -> None:
    assert predictive_value([0, np.inf], 0.1).tolist() == [0, 1]


def mercaldo(hits: int, m: int, alarms: int, k: int, share: float) -> list[tuple[float, float]]:
    """The standard logit limits of PPV and NPV, Mercaldo, Lau & Zhou 2007, section 2.2."""
    sens, spec = hits / m, 1 - alarms / k
    found = []
    for value, spread in zip(
        by_bayes(sens, spec, share),
        (
            (1 - sens) / (sens * m) + spec / ((1 - spec) * k),
            sens / ((1 - sens) * m) + (1 - spec) / (spec * k),
        ),
        strict=True,
    ):
        middle, half = np.log(value / (1 - value)), norm.ppf(0.975) * np.sqrt(spread)
        found.append(tuple(1 / (1 + np.exp(-(middle + side * half))) for side in (-1, 1)))
    return found


@pytest.mark.parametrize("share", [0.03, 0.1, 0.3])
def test_in_a_large_sample_limits_are_near_the_logit_limits_of_mercaldo(share: float) -> None:
    hits, m, alarms, k = 2400, 4180, 870, 3750
    ppv, npv = mercaldo(hits, m, alarms, k, share)
    plus = ratio_limits(hits, m, alarms, k)
    minus = ratio_limits(m - hits, m, k - alarms, k)
    np.testing.assert_allclose(predictive_value(plus, share), ppv, rtol=5e-3)
    np.testing.assert_allclose(1 - predictive_value(minus, share)[::-1], npv, rtol=5e-3)

"""Intervals of proportions against statsmodels, scipy and exact coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from audit.metrics.difference import from_limits, mcnemar
from audit.metrics.interval import Interval
from audit.metrics.proportion import bonett_price, clopper_pearson, newcombe, wilson

COUNTS = [(0, 1), (1, 1), (0, 37), (37, 37), (1, 10), (5, 10), (19, 20), (499, 1000), (3, 10_000)]


@pytest.mark.parametrize(("events", "n"), COUNTS)
def test_clopper_pearson_is_statsmodels_beta_and_scipys_exact(events: int, n: int) -> None:
    low, high = clopper_pearson(events, n)
    expected = proportion_confint(events, n, method="beta")
    exact = binomtest(events, n).proportion_ci(method="exact")
    assert (low, high) == (pytest.approx(np.nan_to_num(expected[0])), pytest.approx(expected[1]))
    assert (low, high) == (pytest.approx(exact.low), pytest.approx(exact.high))


@pytest.mark.parametrize(("events", "n"), COUNTS)
def test_wilson_is_statsmodels_wilson(events: int, n: int) -> None:
    low, high = wilson(events, n)
    expected = proportion_confint(events, n, method="wilson")
    assert low == pytest.approx(expected[0], abs=1e-12)
    assert high == pytest.approx(expected[1], abs=1e-12)


def test_clopper_pearson_covers_at_least_95_percent_for_every_truth() -> None:
    for n in (10, 27, 80):
        low, high = clopper_pearson(np.arange(n + 1), n)
        for p in np.linspace(0.005, 0.995, 100):
            covered = (low <= p) & (p <= high)
            assert binom.pmf(np.arange(n + 1), n, p)[covered].sum() >= 0.95


def test_no_miss_among_n_still_has_an_upper_bound_of_about_three_in_n() -> None:
    for n in (50, 598, 3000):
        one_sided = clopper_pearson(0, n, level=0.90)[1]
        assert one_sided == pytest.approx(3 / n, rel=0.05)


def test_598_cases_without_an_error_show_99_5_percent_one_sided_and_597_do_not() -> None:
    assert clopper_pearson(598, 598, level=0.90)[0] >= 0.995
    assert clopper_pearson(597, 597, level=0.90)[0] < 0.995


def test_without_cases_nothing_is_known() -> None:
    assert [float(x) for x in clopper_pearson(0, 0)] == [0.0, 1.0]
    assert [float(x) for x in wilson(0, 0)] == [0.0, 1.0]


@pytest.mark.parametrize(
    "counts", [(56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (0, 9, 0, 9)]
)
def test_newcombe_is_statsmodels_newcomb(counts: tuple[int, int, int, int]) -> None:
    low, high = newcombe(*counts)
    expected = confint_proportions_2indep(*counts, compare="diff", method="newcomb")
    assert (low, high) == (pytest.approx(expected[0]), pytest.approx(expected[1]))


def test_square_and_add_of_wilson_limits_is_newcombes_interval() -> None:
    (a, b), (c, d) = wilson(9, 12), wilson(30, 90)
    sides = Interval(float(a), float(b), ""), Interval(float(c), float(d), "")
    found = from_limits(9 / 12, sides[0], 30 / 90, sides[1])
    assert found == pytest.approx([float(x) for x in newcombe(9, 12, 30, 90)])


def test_two_numbers_that_move_as_one_differ_without_error() -> None:
    same = Interval(0.7, 0.9, "")
    assert from_limits(0.8, same, 0.8, same, correlation=1.0) == pytest.approx((0.0, 0.0))


def test_bonett_price_follows_its_published_formula() -> None:
    n, first, second = 50, 12, 4
    p, q = (first + 1) / (n + 2), (second + 1) / (n + 2)
    half = 1.959964 * ((p + q - (p - q) ** 2) / (n + 2)) ** 0.5
    assert bonett_price(first, second, n) == pytest.approx((p - q - half, p - q + half), abs=1e-6)


@pytest.mark.parametrize("truth", [(0.1, 0.1), (0.25, 0.05), (0.02, 0.02)])
def test_bonett_price_covers_at_least_94_percent_over_every_table_of_40_pairs(
    truth: tuple[float, float],
) -> None:
    n, (p, q) = 40, truth
    first, second = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    inside = first + second <= n
    chance = binom.pmf(first, n, p) * binom.pmf(second, np.maximum(n - first, 0), q / (1 - p))
    low, high = bonett_price(first, second, n)
    covered = (low <= p - q) & (p - q <= high) & inside
    assert chance[inside].sum() == pytest.approx(1.0)
    assert chance[covered].sum() >= 0.94


@pytest.mark.parametrize("counts", [(0, 0), (1, 9), (9, 1), (5, 5), (30, 12)])
def test_mcnemar_is_the_two_sided_binomial_test(counts: tuple[int, int]) -> None:
    total = sum(counts)
    expected = binomtest(counts[0], total).pvalue if total else 1.0
    assert mcnemar(*counts) == pytest.approx(expected)


def test_wilson_reaches_zero_and_one_exactly() -> None:
    n = np.arange(1, 400)
    assert (wilson(0 * n, n)[0] == 0.0).all()
    assert (wilson(n, n)[1] == 1.0).all()

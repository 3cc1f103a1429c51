"""Calibration metrics against statsmodels and scikit-learn, by hand, and by simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from audit.metrics.calibration import (
    Sample,
    brier,
    brier_limits,
    observed_expected,
    one_group,
    sample_of,
)
from audit.metrics.calibration_error import bins_of, calibration_error, reliability_bins
from audit.metrics.calibration_line import in_the_large, separated, slope

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def drawn(seed: int, n: int = 400, times: float = 1.5, shift: float = 0.4, per: int = 3) -> Drawn:
    """Scores `times` too large and shifted, their outcomes, and patients with `per` images."""
    rng = np.random.default_rng(seed)
    patients = rng.permutation(np.arange(n) // per)
    taste = rng.normal(0, 1, n)[patients]
    odds = -1 + 1.5 * taste + rng.normal(0, 1, n)
    positive = rng.random(n) < expit(odds)
    return times * odds + shift, positive, patients


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("times", [0.3, 1.0, 4.0])
def test_slope_and_its_error_are_those_of_a_logistic_regression(seed: int, times: float) -> None:
    score, positive, patients = drawn(seed, times=times)
    model = sm.GLM(positive.astype(float), sm.add_constant(score), family=sm.families.Binomial())
    robust = {"groups": patients, "use_correction": False}
    told = model.fit(tol=1e-13, maxiter=200, cov_type="cluster", cov_kwds=robust)
    count = len(np.unique(patients))
    found = slope(one_group(score, positive, patients))
    assert found.value[0] == pytest.approx(told.params[1], rel=1e-6)
    assert found.error[0] == pytest.approx(told.bse[1] * np.sqrt(count / (count - 1)), rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("times", [0.3, 1.0, 4.0])
def test_intercept_and_its_error_are_those_of_a_regression_with_the_score_as_offset(
    seed: int, times: float
) -> None:
    score, positive, patients = drawn(seed, times=times)
    ones = np.ones((len(score), 1))
    model = sm.GLM(positive.astype(float), ones, offset=score, family=sm.families.Binomial())
    robust = {"groups": patients, "use_correction": False}
    told = model.fit(tol=1e-13, maxiter=200, cov_type="cluster", cov_kwds=robust)
    count = len(np.unique(patients))
    found = in_the_large(one_group(score, positive, patients))
    assert found.value[0] == pytest.approx(told.params[0], abs=1e-6)
    assert found.error[0] == pytest.approx(told.bse[0] * np.sqrt(count / (count - 1)), rel=1e-6)


def test_fits_hold_for_scores_that_saturate_and_for_nearly_separated_ones() -> None:
    rng = np.random.default_rng(1)
    positive = np.arange(300) < 60
    score = np.where(positive, 60.0, -60.0) + rng.normal(0, 20, 300)
    score[:3] = -90.0  # three fractures missed beyond any float32 probability
    model = sm.GLM(positive.astype(float), sm.add_constant(score), family=sm.families.Binomial())
    told = model.fit(tol=1e-13, maxiter=500)
    found = one_group(score, positive)
    assert slope(found).value[0] == pytest.approx(told.params[1], rel=1e-6)
    level = in_the_large(found).value[0]
    assert expit(score + level).sum() == pytest.approx(60, abs=1e-6)


@pytest.mark.parametrize("times", [0.5, 2.0, 3.0])
def test_a_planted_temperature_is_its_slope_within_one_per_cent(times: float) -> None:
    rng = np.random.default_rng(8)
    odds = rng.normal(-1, 2, 400_000)
    found = slope(one_group(odds * times, rng.random(len(odds)) < expit(odds)))
    low, high = found.limits()
    assert found.value[0] == pytest.approx(1 / times, rel=0.01)
    assert low[0] < 1 / times < high[0]


def test_brier_is_scikit_learns_and_its_error_that_of_a_mean() -> None:
    score, positive, _ = drawn(2)
    found = brier(one_group(score, positive))
    assert found.value[0] == pytest.approx(brier_score_loss(positive, expit(score)), rel=1e-12)
    square = (expit(score) - positive) ** 2
    by_hand = square.std(ddof=1) / np.sqrt(len(square)) / square.mean()
    assert found.error[0] == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize("steep", [4.0, 8.0, 12.0])
def test_where_nothing_went_wrong_the_intercept_is_not_taken_for_known(steep: float) -> None:
    """Sure and right in 20 + 180 cases: the outcomes vary less than the scores say they could."""
    rng = np.random.default_rng(12)
    positive = np.arange(200) < 20
    score = np.where(positive, steep, -steep) + rng.normal(0, 0.3, 200)
    found = in_the_large(one_group(score, positive))
    model = sm.GLM(positive, np.ones((200, 1)), offset=score, family=sm.families.Binomial())
    told = model.fit(tol=1e-13, maxiter=200)
    assert found.error[0] == pytest.approx(told.bse[0], rel=1e-5)
    assert abs(found.value[0]) < 1.96 * found.error[0]


def test_scores_beyond_every_doubt_have_no_intercept() -> None:
    positive = np.arange(100) < 40
    assert np.isnan(in_the_large(one_group(np.where(positive, 800.0, -800.0), positive)).value[0])


def test_a_brier_score_without_an_error_seen_has_the_upper_limit_of_three_in_n() -> None:
    positive = np.arange(300) < 60
    right = np.where(positive, 12.0, -12.0)
    patients = np.arange(300) // 3
    for who, count in ((None, 300), (patients, 100)):
        low, high = brier_limits(one_group(right, positive, who))
        assert low[0] < 1e-9
        assert high[0] == pytest.approx(1 - 0.025 ** (1 / count))


def test_observed_to_expected_and_its_error_by_the_delta_method_written_out() -> None:
    score, positive, patients = drawn(3)
    found = observed_expected(one_group(score, positive, patients))
    p = expit(score)
    assert found.value[0] == pytest.approx(positive.sum() / p.sum(), rel=1e-12)
    # var(log(a / b)) of the totals of C patients drawn anew: C / (C - 1) sum (y/a - p/b)^2
    y_of, p_of = (np.bincount(patients, part) for part in (positive.astype(float), p))
    rest, count = y_of / y_of.sum() - p_of / p_of.sum(), len(y_of)
    by_hand = np.sqrt(count / (count - 1) * (rest**2).sum())
    assert found.error[0] == pytest.approx(by_hand, rel=1e-9)


def test_many_groups_at_once_are_each_group_alone() -> None:
    score, positive, patients = drawn(4)
    rng = np.random.default_rng(4)
    members = np.column_stack([np.ones(400, bool), rng.random((400, 3)) < 0.5])
    whole = sample_of(score, positive, patients, members)
    error = calibration_error(whole)
    for g, inside in enumerate(members.T):
        alone = one_group(score[inside], positive[inside], patients[inside])
        for metric in (in_the_large, slope, observed_expected, brier):
            one, all_at_once = metric(alone), metric(whole)
            assert all_at_once.value[g] == pytest.approx(one.value[0], rel=1e-9)
            assert all_at_once.error[g] == pytest.approx(one.error[0], rel=1e-9)
        single = calibration_error(alone)
        assert (error.value[g], error.low[g], error.high[g]) == pytest.approx(
            (single.value[0], single.low[0], single.high[0]), abs=1e-9
        )


@pytest.mark.parametrize(
    ("negatives", "positives", "none"),
    [
        ([0.0, 1.0], [1.0, 2.0], True),
        ([0.0, 1.0], [2.0, 3.0], True),
        ([2.0, 3.0], [0.0, 1.0], True),
        ([1.0, 1.0], [1.0, 1.0], True),
        ([0.0, 2.0], [1.0, 3.0], False),
        ([0.0, 1.0], [0.0, 1.0], False),
    ],
)
def test_no_slope_exactly_where_the_outcomes_do_not_overlap(negatives, positives, none) -> None:
    sample = one_group(negatives + positives, [False] * 2 + [True] * 2)
    assert bool(separated(sample)[0]) is none
    assert bool(np.isnan(slope(sample).value[0])) is none


def test_plain_ece_is_the_one_from_scikit_learns_quantile_bins() -> None:
    score, positive, _ = drawn(5, n=600)
    share, mean = calibration_curve(positive, expit(score), n_bins=15, strategy="quantile")
    found = calibration_error(one_group(score, positive))
    assert found.bins[0] == 15
    assert found.plain[0] == pytest.approx(np.abs(share - mean).mean(), rel=1e-9)
    members, centre = reliability_bins(score)
    assert centre == pytest.approx(mean)
    assert [positive[inside].mean() for inside in members.T] == pytest.approx(share)


def test_bins_do_not_depend_on_the_order_of_the_cases_and_never_part_equal_scores() -> None:
    rng = np.random.default_rng(6)
    score = rng.normal(0, 1, 500).round(1)
    start, order = np.zeros(1, np.int64), rng.permutation(500)
    numbers = bins_of(score, start)
    assert (bins_of(score[order], start) == numbers[order]).all()
    for value in np.unique(score):
        assert len(np.unique(numbers[score == value])) == 1
    assert (np.diff(numbers[np.argsort(score, kind="stable")]) >= 0).all()


def test_ece_of_a_model_that_is_wrong_by_a_tenth_everywhere_is_a_tenth() -> None:
    rng = np.random.default_rng(7)
    share = rng.uniform(0.1, 0.8, 300_000)
    positive = rng.random(len(share)) < share + 0.1
    found = calibration_error(one_group(np.log(share / (1 - share)), positive))
    assert found.value[0] == pytest.approx(0.1, rel=0.02)
    assert found.low[0] < 0.1 < found.high[0]


def test_noise_alone_is_told_from_miscalibration() -> None:
    rng = np.random.default_rng(9)
    odds = rng.normal(-1, 2, (200, 400))
    positive = rng.random(odds.shape) < expit(odds)
    found = calibration_error(many(odds, positive, 1))
    assert found.plain.mean() > 0.04  # what is usually given, for a model that is right
    assert found.value.mean() < found.plain.mean() / 3
    assert (found.low == 0).mean() > 0.95


def many(score: np.ndarray, positive: np.ndarray, per: int) -> Sample:
    """(R, n): each row a group of its own, patients of `per` images in a row."""
    rows, n = score.shape
    starts, patients = np.arange(0, rows * n, n), np.arange(0, rows * n, per)
    first = np.searchsorted(patients, starts)
    return Sample(score.ravel(), positive.ravel(), starts, patients, first)


def simulated(
    rng: np.random.Generator, rows: int, n: int, times: float, per: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of scores and outcomes; images of a patient share taste and, mostly, luck."""
    shape, wide = (rows, n), (rows, n // per)
    taste = rng.normal(0, 1, wide).repeat(per, 1)
    odds = -1.5 + 2.5 * (np.sqrt(0.6) * taste + np.sqrt(0.4) * rng.normal(0, 1, shape))
    shared = rng.random(wide).repeat(per, 1) < 0.7
    luck = np.where(shared, rng.random(wide).repeat(per, 1), rng.random(shape))
    return odds * times, luck < expit(odds)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "times", "per"), [(200, 1, 1), (200, 2, 1), (600, 1.5, 3)])
def test_limits_cover_the_truth_in_93_to_97_of_100_draws(n: int, times: float, per: int) -> None:
    rng = np.random.default_rng(10)
    truth = many(*simulated(rng, 1, 1_200_000, times, per), per)
    drawn_anew = many(*simulated(rng, 1000, n, times, per), per)
    for metric in (in_the_large, slope, observed_expected, brier):
        limited = brier_limits(drawn_anew) if metric is brier else metric(drawn_anew).limits()
        low, high = limited
        exact = metric(truth).value[0]
        assert 0.93 <= ((low <= exact) & (exact <= high)).mean() <= 0.97, metric.__name__


@pytest.mark.slow
@pytest.mark.parametrize(("n", "times", "per"), [(200, 2, 1), (500, 1.5, 1), (600, 1.5, 3)])
def test_limits_of_ece_cover_the_error_between_its_bins(n: int, times: float, per: int) -> None:
    rng = np.random.default_rng(11)
    score, _ = simulated(rng, 1, 1_200_000, times, per)
    drawn_anew = calibration_error(many(*simulated(rng, 1000, n, times, per), per))
    gap = expit(score[0] / times) - expit(score[0])
    count = int(drawn_anew.bins.max())
    edges = np.quantile(score[0], np.arange(1, count) / count)
    sums = np.bincount(np.searchsorted(edges, score[0]), gap)
    exact = np.abs(sums).sum() / len(gap)
    assert 0.91 <= ((drawn_anew.low <= exact) & (exact <= drawn_anew.high)).mean() <= 0.99

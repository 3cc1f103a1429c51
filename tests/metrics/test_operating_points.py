"""Points of the ROC curve against scikit-learn, hand counts and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, norm
from sklearn.metrics import roc_auc_score, roc_curve

from audit.metrics.bootstrap import resample
from audit.metrics.operating import (
    Points,
    area_limits,
    curve,
    partial_auroc,
    point_limits,
    read,
    resampled,
    sensitivity_at,
    specificity_at,
)

POINTS = Points((0.9, 0.95), (0.9, 0.95), 0.1)


def sample(seed: int, rounded: bool = False) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    positive = np.arange(draw.integers(25, 200)) % 3 == 0
    scores = draw.normal(1.2 * positive)
    return (scores.round() if rounded else scores), positive


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("max_fpr", [0.05, 0.1, 0.5])
def test_partial_auroc_is_scikit_learns(rounded: bool, max_fpr: float) -> None:
    for seed in range(30):
        scores, positive = sample(seed, rounded)
        expected = roc_auc_score(positive, scores, max_fpr=max_fpr)
        assert partial_auroc(scores, positive, max_fpr) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rounded", [False, True])
def test_sensitivity_at_a_specificity_lies_on_the_roc_curve_of_scikit_learn(rounded: bool) -> None:
    for seed in range(30):
        scores, positive = sample(seed, rounded)
        out, up, _ = roc_curve(positive, scores, drop_intermediate=False)
        at = 0.123  # on no point of the curve
        after = np.searchsorted(out, at)
        expected = np.interp(at, out[after - 1 : after + 1], up[after - 1 : after + 1])
        assert sensitivity_at(scores, positive, 1 - at) == pytest.approx(expected, abs=1e-6)


def test_the_best_threshold_of_several_with_that_specificity_counts() -> None:
    scores = np.arange(20.0)
    positive = np.isin(np.arange(20), [5, 12, 13, 15, 17, 18, 19])
    # Ten of thirteen negatives are below 11; positives above the first of the rest: 12 and up.
    assert sensitivity_at(scores, positive, 10 / 13) == pytest.approx(6 / 7)
    assert sensitivity_at(scores, positive, 1.0) == pytest.approx(3 / 7)


def test_specificity_at_a_sensitivity_is_the_same_question_with_the_classes_exchanged() -> None:
    for seed in range(10):
        scores, positive = sample(seed)
        ordered = np.sort(scores[positive])[::-1]
        needed = int(np.ceil(0.9 * positive.sum()))
        expected = (scores[~positive] < ordered[needed - 1]).mean()
        found = specificity_at(scores, positive, needed / positive.sum())
        assert found == pytest.approx(expected, abs=1e-6)
        both = read(curve(scores, positive), Points((), (needed / positive.sum(),), 0.1))
        assert both[0, 0] == pytest.approx(found, abs=1e-6)


def test_scores_without_bound_rank_at_the_ends() -> None:
    scores = np.array([np.inf, 3.0, 1.0, 2.0, 0.0, -np.inf])
    positive = np.array([False, True, True, False, False, True])
    assert partial_auroc(scores, positive, 0.5) == pytest.approx(
        roc_auc_score(positive, [9, 3, 1, 2, 0, -9], max_fpr=0.5)
    )


def test_a_resample_is_the_sample_with_cases_repeated() -> None:
    scores, positive = sample(3, rounded=True)
    patients = np.arange(len(scores)) // 2
    drawn = resample(patients, positive, 20, 0)
    found = resampled(scores, positive, POINTS, drawn)
    for row, weights in zip(found, drawn.weights, strict=True):
        times = weights[patients].astype(int)
        s, p = np.repeat(scores, times), np.repeat(positive, times)
        assert row[-1] == pytest.approx(roc_auc_score(p, s, max_fpr=0.1), abs=1e-6)
        assert row[0] == pytest.approx(sensitivity_at(s, p, 0.9), abs=1e-6)
        assert row[3] == pytest.approx(specificity_at(s, p, 0.95), abs=1e-6)


def test_perfect_separation_is_not_told_as_certainty() -> None:
    scores, positive = np.arange(60.0), np.arange(60) >= 40
    draws = resampled(scores, positive, POINTS, resample(np.arange(60), positive, 200, 0))
    assert np.ptp(draws) == 0
    point = point_limits(1.0, draws[:, 0], 20, 20)
    assert point.high == 1
    assert point.low == pytest.approx(beta.ppf(0.025, 20.5, 0.5))
    area = area_limits(1.0, draws[:, -1], 4)
    assert (area.low, area.high) == (pytest.approx(0.025**0.25), 1)  # exact, 4 of 4


def truth(gap: float) -> list[float]:
    """Of unit normals `gap` apart: the numbers of POINTS."""
    points = [float(norm.sf(norm.ppf(at) - gap)) for at in (0.9, 0.95)]
    rates = (np.arange(20_000) + 0.5) / 20_000 * 0.1
    area = norm.sf(norm.isf(rates) - gap).mean() * 0.1
    return [*points, *points, (1 + (area - 0.005) / (0.1 - 0.005)) / 2]


@pytest.mark.slow
@pytest.mark.parametrize(("m", "n", "gap"), [(100, 120, 2.0), (100, 100, 3.0), (200, 300, 2.5)])
def test_limits_cover_as_often_as_they_claim(m: int, n: int, gap: float) -> None:
    draw = np.random.default_rng(2)
    positive = np.arange(m + n) < m
    true, covered = truth(gap), np.zeros(5)
    for repeat in range(1000):
        scores = draw.normal(gap * positive)
        values = read(curve(scores, positive), POINTS)[0]
        drawn = resample(np.arange(m + n), positive, 300, repeat)
        draws = resampled(scores, positive, POINTS, drawn)
        for i, (value, size) in enumerate(zip(values[:4], (m, m, n, n), strict=True)):
            low, high, _ = point_limits(float(value), draws[:, i], size, size)
            covered[i] += low <= true[i] <= high
        low, high, _ = area_limits(float(values[4]), draws[:, 4], min(m, 0.1 * n))
        covered[4] += low <= true[4] <= high
    assert (covered > 922).all(), covered  # 93% less twice the error of 1,000 draws
    assert (covered < 980).all(), covered

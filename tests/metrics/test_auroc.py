"""AUROC and its variances against scikit-learn, a published analysis and slow definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from audit.metrics.auroc import Roc, auroc, auroc_interval, covariance, roc, variance
from audit.metrics.auroc_difference import group_difference, paired_difference
from audit.metrics.proportion import clopper_pearson

# Albumin, total protein, K-G score, benefit of surgery: 43 patients with ovarian cancer of
# DeLong et al. 1988, as printed in the SAS/STAT manual (LOGISTIC, "Comparing ROC curves").
_PRINTED = """
    3.0 5.8 10 0   3.2 6.3 5 1   3.9 6.8 3 1   2.8 4.8 6 0   3.2 5.8 3 1   0.9 4.0 5 0
    2.5 5.7 8 0   1.6 5.6 5 1   3.8 5.7 5 1   3.7 6.7 6 1   3.2 5.4 4 1   3.8 6.6 6 1
    4.1 6.6 5 1   3.6 5.7 5 1   4.3 7.0 4 1   3.6 6.7 4 0   2.3 4.4 6 1   4.2 7.6 4 0
    4.0 6.6 6 0   3.5 5.8 6 1   3.8 6.8 7 1   3.0 4.7 8 0   4.5 7.4 5 1   3.7 7.4 5 1
    3.1 6.6 6 1   4.1 8.2 6 1   4.3 7.0 5 1   4.3 6.5 4 1   3.2 5.1 5 1   2.6 4.7 6 1
    3.3 6.8 6 0   1.7 4.0 7 0   3.7 6.1 5 1   3.3 6.3 7 1   4.2 7.7 6 1   3.5 6.2 5 1
    2.9 5.7 9 0   2.1 4.8 7 1   2.8 6.2 8 0   4.0 7.0 7 1   3.3 5.7 6 1   3.7 6.9 5 1
    3.6 6.6 5 1
"""
OVARIAN = np.array(_PRINTED.split(), dtype=float).reshape(-1, 4)
BENEFIT = OVARIAN[:, 3] == 1
ALBUMIN, PROTEIN, KG = OVARIAN[:, 0], OVARIAN[:, 1], 10 - OVARIAN[:, 2]
ALONE = np.arange(len(BENEFIT))


def slow_covariance(
    first: np.ndarray, second: np.ndarray, positive: np.ndarray, patients: np.ndarray
) -> float:
    """Obuchowski 1997, written out over every pair of images; DeLong when nobody repeats."""

    def kernel(score: np.ndarray) -> np.ndarray:
        x, y = score[positive], score[~positive]
        return np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])

    who_pos, who_neg = patients[positive], patients[~positive]
    m, n = len(who_pos), len(who_neg)
    sums = []
    for score in (first, second):
        psi = kernel(score)
        area = psi.mean()
        v10, v01 = psi.mean(axis=1) - area, psi.mean(axis=0) - area
        everyone = sorted(set(patients.tolist()))
        sums.append({p: (v10[who_pos == p].sum(), v01[who_neg == p].sum()) for p in everyone})
    i10, i01, i = len(set(who_pos.tolist())), len(set(who_neg.tolist())), len(sums[0])
    s10 = i10 / ((i10 - 1) * m) * sum(sums[0][p][0] * sums[1][p][0] for p in sums[0])
    s01 = i01 / ((i01 - 1) * n) * sum(sums[0][p][1] * sums[1][p][1] for p in sums[0])
    s11 = i / (i - 1) * sum(sums[0][p][0] * sums[1][p][1] for p in sums[0])
    s11_back = i / (i - 1) * sum(sums[0][p][1] * sums[1][p][0] for p in sums[0])
    return float(s10 / m + s01 / n + (s11 + s11_back) / (m * n))


def clustered(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two scores with ties, truths and patients of one to four images, some with both truths."""
    rng = np.random.default_rng(seed)
    patients = np.repeat(np.arange(40), rng.integers(1, 5, 40))
    positive = rng.random(len(patients)) < 0.4
    taste = rng.normal(0, 1, 40)[patients]
    first = np.round(positive + taste + rng.normal(0, 0.5, len(patients)), 1)
    second = np.round(0.5 * positive + taste + rng.normal(0, 1, len(patients)), 1)
    return first, second, positive, patients


@pytest.mark.parametrize("seed", range(5))
def test_auroc_is_scikit_learns_with_ties(seed: int) -> None:
    score, _, positive, _ = clustered(seed)
    assert auroc(score, positive) == pytest.approx(roc_auc_score(positive, score))


def test_auroc_ranks_infinite_scores_at_the_ends() -> None:
    score = np.array([-np.inf, 0.0, 1.0, np.inf])
    assert auroc(score, np.array([False, True, False, True])) == 0.75


def test_auroc_and_its_error_match_the_published_ovarian_cancer_analysis() -> None:
    published = {0.7366: (ALBUMIN, 0.0927), 0.6478: (PROTEIN, 0.1000), 0.7258: (KG, 0.1028)}
    for area, (score, error) in published.items():
        assert auroc(score, BENEFIT) == pytest.approx(area, abs=5e-5)
        assert variance(roc(score, BENEFIT, ALONE)) ** 0.5 == pytest.approx(error, abs=5e-5)


def test_paired_differences_match_the_published_ovarian_cancer_analysis() -> None:
    for score, gap, error in ((ALBUMIN, 0.0108, 0.0953), (PROTEIN, -0.0780, 0.1046)):
        one, two = roc(score, BENEFIT, ALONE), roc(KG, BENEFIT, ALONE)
        spread = variance(one) + variance(two) - 2 * covariance(one, two)
        limits = paired_difference(one, two)
        assert one.area - two.area == pytest.approx(gap, abs=5e-5)
        assert spread**0.5 == pytest.approx(error, abs=5e-5)
        wald = gap - 1.96 * error, gap + 1.96 * error
        assert (limits.low, limits.high) == pytest.approx(wald, abs=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_variance_and_covariance_equal_the_slow_clustered_definition(seed: int) -> None:
    first, second, positive, patients = clustered(seed)
    for who in (patients, np.arange(len(patients))):
        one, two = roc(first, positive, who), roc(second, positive, who)
        expected = slow_covariance(first, first, positive, who)
        assert variance(one) == pytest.approx(expected)
        expected = slow_covariance(first, second, positive, who)
        assert covariance(one, two) == pytest.approx(expected)


def test_copies_of_every_image_add_no_precision_when_patients_are_the_unit() -> None:
    score, positive = np.tile(KG, 3), np.tile(BENEFIT, 3)
    once = variance(roc(KG, BENEFIT, ALONE))
    assert variance(roc(score, positive, np.tile(ALONE, 3))) == pytest.approx(once)
    assert variance(roc(score, positive, np.arange(len(score)))) < 0.4 * once


def test_patients_numbers_are_names_only() -> None:
    first, _, positive, patients = clustered(1)
    renamed = np.random.default_rng(0).permutation(1000)[patients] + 5
    expected = variance(roc(first, positive, patients))
    assert variance(roc(first, positive, renamed)) == pytest.approx(expected)


def test_a_perfect_auroc_is_no_more_certain_than_the_rarer_class_allows() -> None:
    score = np.r_[np.full(12, 2.0), np.full(80, 1.0)]
    positive = score > 1.5
    found = auroc_interval(roc(score, positive, np.arange(92)))
    assert (found.low, found.high) == pytest.approx([float(x) for x in clopper_pearson(12, 12)])
    two_each = auroc_interval(roc(score, positive, np.arange(92) // 2))
    assert two_each.low == pytest.approx(float(clopper_pearson(6, 6)[0]))


def test_the_interval_says_whether_patients_repeat() -> None:
    first, _, positive, patients = clustered(2)
    assert auroc_interval(roc(first, positive, patients)).method == "clustered DeLong"
    assert auroc_interval(roc(first, positive, np.arange(len(first)))).method == "DeLong"


def halves(score: np.ndarray, positive: np.ndarray, patients: np.ndarray) -> tuple[Roc, Roc]:
    left = np.arange(len(score)) < len(score) // 2
    one, two = (roc(score[g], positive[g], patients[g], len(score)) for g in (left, ~left))
    return one, two


def test_groups_without_common_patients_differ_by_square_and_add_of_their_own_limits() -> None:
    first, _, positive, _ = clustered(3)
    one, two = halves(first, positive, np.arange(len(first)))
    left, right, found = auroc_interval(one), auroc_interval(two), group_difference(one, two)
    a, b = one.area, two.area
    assert found.low == pytest.approx(a - b - ((a - left.low) ** 2 + (right.high - b) ** 2) ** 0.5)


def test_patients_in_both_groups_with_like_scores_narrow_the_difference() -> None:
    score, positive = np.tile(KG, 2), np.tile(BENEFIT, 2)
    same = group_difference(*halves(score, positive, np.tile(ALONE, 2)))
    apart = group_difference(*halves(score, positive, np.arange(len(score))))
    assert apart.high - apart.low > 0.4
    assert same.high - same.low < 0.4 * (apart.high - apart.low)


@pytest.mark.slow
@pytest.mark.parametrize(("area", "m", "n"), [(0.8, 20, 50), (0.95, 20, 50), (0.99, 12, 60)])
def test_delong_limits_cover_the_true_area_in_at_least_92_percent(
    area: float, m: int, n: int
) -> None:
    rng = np.random.default_rng(5)
    shift = norm.ppf(area) * 2**0.5
    positive = np.arange(m + n) < m
    hits = 0
    for _ in range(1500):
        score = np.r_[rng.normal(shift, 1, m), rng.normal(0, 1, n)]
        found = auroc_interval(roc(score, positive, np.arange(m + n)))
        hits += found.low <= area <= found.high
    assert hits / 1500 >= 0.92


@pytest.mark.slow
def test_clustered_delong_covers_where_delong_on_images_does_not() -> None:
    rng = np.random.default_rng(6)
    patients, truth = np.repeat(np.arange(60), 4), np.repeat(np.arange(60) < 25, 4)
    area, hits, naive = norm.cdf(1 / (2 * 1.25) ** 0.5), 0, 0
    for _ in range(1000):
        score = truth + rng.normal(0, 1, 60)[patients] + rng.normal(0, 0.5, 240)
        found = auroc_interval(roc(score, truth, patients))
        image = auroc_interval(roc(score, truth, np.arange(240)))
        hits += found.low <= area <= found.high
        naive += image.low <= area <= image.high
    assert hits / 1000 >= 0.92
    assert naive / 1000 < 0.75

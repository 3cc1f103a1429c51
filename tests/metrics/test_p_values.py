"""p-values against scipy, statsmodels, written-out enumeration and their own size."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact, norm
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from audit.metrics.auroc import roc
from audit.metrics.auroc_difference import group_p, paired_p
from audit.metrics.multiplicity import holm
from audit.metrics.p_values import clustered_groups, clustered_paired, fisher, from_z
from tests.metrics.test_auroc import ALBUMIN, ALONE, BENEFIT, KG, PROTEIN

ONE, TWO = np.array([0]), np.array([1])


@pytest.mark.parametrize("seed", range(40))
def test_fisher_is_scipys_exact_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = (int(k) for k in rng.integers(1, 10 ** (1 + seed % 4), 2))
    a, b = int(rng.integers(0, n + 1)), int(rng.integers(0, m + 1))
    expected = fisher_exact([[a, n - a], [b, m - b]])[1]
    assert fisher(a, n, b, m) == pytest.approx(expected, abs=1e-9)


def test_the_p_of_a_z_is_the_normal_distributions() -> None:
    z = np.array([-3.0, 0.0, 1.0, 2.5])
    assert from_z(z) == pytest.approx(2 * norm.sf(np.abs(z)))


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_statsmodels_holm(seed: int) -> None:
    p = np.random.default_rng(seed).random(200) ** 3
    assert holm(p.tolist()) == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_holm_of_nothing_is_nothing() -> None:
    assert holm([]) == []


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (6, 1), (9, 0), (2, 3)])
def test_one_image_per_patient_makes_the_clustered_test_mcnemars_exact_one(
    gained: int, lost: int
) -> None:
    found = clustered_paired([1] * gained + [-1] * lost + [0] * 30, 30 + gained + lost)
    expected = reference_mcnemar([[30, gained], [lost, 0]], exact=True).pvalue
    assert found == pytest.approx(1.0 if gained + lost == 0 else expected)


def test_few_changed_patients_are_tested_by_every_sign_of_their_changes() -> None:
    changes = np.array([3.0, -1.0, 2.0, 2.0, 1.0])
    sums = [abs(np.dot(signs, changes)) for signs in product((1, -1), repeat=5)]
    expected = np.mean([total >= 7 for total in sums])
    assert clustered_paired(changes, 50) == pytest.approx(expected)


def test_many_changed_patients_are_tested_by_obuchowskis_statistic() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.integers(0, 4, (2, 80)).astype(float)
    first += rng.random(80) < 0.3
    pooled = (first.sum() + second.sum()) / 2  # of 4 images of each of 80 patients
    share = pooled / 320
    one, two = first - share * 4, second - share * 4
    factor = 80 / (79 * 320**2)
    spread = factor * ((one**2).sum() + (two**2).sum() - 2 * (one * two).sum())
    z = (first.sum() - second.sum()) / 320 / spread**0.5
    assert clustered_paired(first - second, 80) == pytest.approx(2 * norm.sf(abs(z)))


def test_groups_of_one_image_per_patient_are_tested_by_the_pooled_two_sample_z() -> None:
    images = np.zeros((200, 1, 2), np.float32)
    images[:120, 0, 0] = images[120:, 0, 1] = 1
    hits = images.copy()
    hits[:30] = hits[120:132] = 0
    p, q, pooled = 90 / 120, 68 / 80, 158 / 200
    # A score test around the pooled rate, with patients as the unit: Σ(x − p)² by hand.
    spread = (90 * (1 - pooled) ** 2 + 30 * pooled**2) / 120**2
    spread += (68 * (1 - pooled) ** 2 + 12 * pooled**2) / 80**2
    z = (p - q) / (spread * 200 / 199) ** 0.5
    found = clustered_groups(hits, images, ONE, TWO)[0, 0]
    assert found == pytest.approx(2 * norm.sf(abs(z)), rel=1e-6)
    assert found == pytest.approx(2 * norm.sf(0.10 / (pooled * (1 - pooled) / 48) ** 0.5), rel=0.15)


def test_copies_of_every_image_do_not_make_a_difference_surer() -> None:
    rng = np.random.default_rng(0)
    images = np.zeros((60, 1, 2), np.float32)
    images[np.arange(60), 0, np.arange(60) % 2] = 1
    hits = images * (rng.random((60, 1, 2)) < 0.7)
    once = clustered_groups(hits, images, ONE, TWO)
    assert clustered_groups(3 * hits, 3 * images, ONE, TWO) == pytest.approx(once)


def test_where_nothing_varies_nothing_differs() -> None:
    images = np.ones((20, 1, 2), np.float32)
    assert clustered_groups(images, images, ONE, TWO)[0, 0] == 1.0


def test_paired_delong_matches_the_published_ovarian_cancer_analysis() -> None:
    for score, gap, error in ((ALBUMIN, 0.0108, 0.0953), (PROTEIN, -0.0780, 0.1046)):
        found = paired_p(roc(score, BENEFIT, ALONE), roc(KG, BENEFIT, ALONE))
        assert found == pytest.approx(2 * norm.sf(abs(gap / error)), abs=0.001)


def test_the_same_score_twice_does_not_differ() -> None:
    one = roc(KG, BENEFIT, ALONE)
    assert paired_p(one, one) == 1.0


def test_two_perfect_areas_do_not_differ_and_a_perfect_one_is_not_certain() -> None:
    score = np.r_[np.zeros(15), np.ones(15)]
    perfect = roc(score, score > 0.5, np.arange(30))
    worse = roc(np.where(np.arange(30) % 15 < 2, 1 - score, score), score > 0.5, np.arange(30))
    assert group_p(perfect, roc(score, score > 0.5, np.arange(30))) == 1.0
    assert 0.05 < group_p(perfect, worse) < 0.6


def rejected(p_values: list[float]) -> float:
    return float(np.mean(np.array(p_values) < 0.05))


def clustered_table(rng: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of patients of one chance each, in two views; no view is harder than the other."""
    views = rng.integers(0, 3, (patients, 1, 2)).astype(np.float32)
    chance = rng.beta(4, 1.5, (patients, 1, 1))
    return rng.binomial(views.astype(int), chance).astype(np.float32), views


def test_clustered_tests_of_equal_groups_reject_about_one_in_twenty() -> None:
    rng = np.random.default_rng(8)
    found = []
    for _ in range(1500):
        hits, views = clustered_table(rng, 80)
        found.append(float(clustered_groups(hits, views, ONE, TWO)[0, 0]))
    assert 0.03 < rejected(found) < 0.07


def test_clustered_paired_tests_of_equal_readings_reject_about_one_in_twenty() -> None:
    rng = np.random.default_rng(9)
    found = []
    for _ in range(1500):
        images = rng.integers(1, 5, 60)
        chance = rng.beta(3, 1, 60)
        found.append(
            clustered_paired(rng.binomial(images, chance) - rng.binomial(images, chance), 60)
        )
    assert 0.03 < rejected(found) < 0.07


@pytest.mark.slow
@pytest.mark.parametrize(("m", "n", "area"), [(10, 10, 0.8), (20, 50, 0.95), (100, 200, 0.9)])
@pytest.mark.parametrize("paired", [True, False])
def test_delongs_z_rejects_equal_areas_at_most_one_time_in_twenty(
    m: int, n: int, area: float, paired: bool
) -> None:
    rng, who = np.random.default_rng(10), np.arange(m + n)
    positive = who < m
    shift = positive * norm.ppf(area) * 2**0.5
    found = []
    for _ in range(1500):
        shared = rng.normal(0, 0.7**0.5, m + n) if paired else 0.0
        own = rng.normal(0, 0.3**0.5 if paired else 1.0, (2, m + n))
        one, two = (roc(shift + shared + noise, positive, who) for noise in own)
        found.append(paired_p(one, two) if paired else group_p(one, two))
    assert rejected(found) < 0.065


def test_mcnemar_by_hand_equals_the_binomial_test() -> None:
    assert clustered_paired([1] * 7 + [-1], 40) == pytest.approx(binomtest(1, 8).pvalue)

"""AUROC within strata and the small logistic regression, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from audit.metrics.auroc import auroc_interval, roc, variance
from audit.metrics.logistic import ridge_logistic
from audit.metrics.within import chance_p, within_auroc


def test_the_area_is_the_mean_of_the_strata_weighted_by_their_pairs():
    rng = np.random.default_rng(0)
    scores = np.round(rng.normal(0, 1, 200), 1)
    positive, strata = rng.random(200) < 0.3, rng.integers(0, 5, 200)
    areas, pairs = [], []
    for number in range(5):
        here = strata == number
        areas.append(roc_auc_score(positive[here], scores[here]))
        pairs.append(positive[here].sum() * (~positive[here]).sum())
    found = within_auroc(scores, positive, np.arange(200), strata)
    assert found.area == pytest.approx(np.average(areas, weights=pairs), abs=1e-12)


def test_one_stratum_is_the_plain_area_with_delongs_error():
    rng = np.random.default_rng(1)
    scores, positive = rng.normal(0, 1, 80), rng.random(80) < 0.4
    patients = rng.integers(0, 30, 80)
    found = within_auroc(scores, positive, patients, np.zeros(80, np.int64), 30)
    plain = roc(scores, positive, patients, 30)
    assert (found.area, variance(found)) == pytest.approx((plain.area, variance(plain)))


def test_without_a_pair_in_any_stratum_there_is_none():
    positive = np.array([True, True, False])
    assert within_auroc(np.zeros(3), positive, np.arange(3), np.array([0, 0, 1])) is None


def test_intervals_hold_the_truth_in_95_of_100_draws():
    rng, true, hits = np.random.default_rng(2), 0.760249938906524, 0  # Φ(1/√2)
    for _ in range(1000):
        strata = rng.integers(0, 6, 150)
        positive = rng.random(150) < 0.3 + 0.05 * strata
        scores = rng.normal(0, 1, 150) + positive + 3 * strata
        low, high, _ = auroc_interval(within_auroc(scores, positive, np.arange(150), strata))
        hits += low <= true <= high
    assert 0.93 <= hits / 1000 <= 0.97


def test_the_p_value_of_chance_agrees_with_the_interval_about_one_half():
    rng = np.random.default_rng(6)
    for _ in range(200):
        positive = rng.random(60) < 0.4
        one = roc(rng.normal(0, 1, 60) + 0.4 * positive, positive, np.arange(60))
        low, high, _ = auroc_interval(one)
        assert (chance_p(one) < 0.05) == (not low <= 0.5 <= high)


@pytest.mark.parametrize("strength", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("kind", ["one-hot", "separable", "rare"])
def test_the_fit_is_that_of_scikit_learn(strength, kind):
    rng = np.random.default_rng(7)
    columns = np.eye(4)[rng.integers(0, 4, 120)]
    positive = rng.random(120) < 0.2 + 0.15 * columns[:, 0]
    if kind == "separable":
        columns = np.concatenate([columns, positive[:, None] * 5.0], axis=1)
    if kind == "rare":
        positive = np.arange(120) < 2
    model = LogisticRegression(C=strength, class_weight="balanced", tol=1e-10, max_iter=10_000)
    model.fit(columns, positive)
    found = ridge_logistic(columns, positive, strength)
    assert found[:-1] == pytest.approx(model.coef_[0], abs=1e-5)
    assert found[-1] == pytest.approx(model.intercept_[0], abs=1e-5)

"""Confident learning: by hand, by loops as the paper writes it, and on planted label errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from audit.metrics.confident_learning import (
    class_thresholds,
    confident_joint,
    margins,
    suspected,
)
from audit.metrics.label_noise import lapse_rate


def as_written(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Northcutt et al. 2021, equations 1 and 2, case by case."""
    k = p.shape[1]
    t = [np.mean([p[i, j] for i in range(len(p)) if labels[i] == j] or [np.inf]) for j in range(k)]
    joint = np.zeros((k, k), int)
    for i in range(len(p)):
        confident = [j for j in range(k) if p[i, j] >= t[j] - 1e-12]
        if confident:
            joint[labels[i], max(confident, key=lambda j, i=i: (p[i, j], -j))] += 1
    return joint


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(5, 60))
def test_the_joint_is_that_of_the_paper(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(k), n)
    labels = rng.integers(0, k, n)
    assert (confident_joint(p, labels) == as_written(p, labels)).all()


def test_thresholds_joint_and_margin_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6]])
    labels = np.array([0, 0, 0, 1, 1])
    assert class_thresholds(p, labels) == pytest.approx([0.6, 0.75])
    assert confident_joint(p, labels).tolist() == [[2, 1], [0, 1]]
    assert suspected(p, labels).tolist() == [False, False, True, False, False]
    assert margins(p, labels) == pytest.approx([0.8, 0.4, -0.6, 0.8, 0.2])


def sound(n: int, error: float, seed: int, prevalence: float = 0.4):
    """Log-odds of a calibrated model with this error rate at even odds, and the truth."""
    rng = np.random.default_rng(seed)
    apart = -2 * norm.ppf(error)
    truth = rng.random(n) < prevalence
    x = rng.normal(np.where(truth, apart / 2, -apart / 2), 1)
    return apart * x + np.log(prevalence / (1 - prevalence)), truth, rng


def flagged(z: np.ndarray, labels: np.ndarray) -> bool:
    found = lapse_rate(z, labels)
    return found.low >= 0.01 and found.p < 0.005


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_most_of_the_planted_label_errors_of_an_accurate_model_are_listed(share: float) -> None:
    z, truth, rng = sound(2000, 0.02, seed=1)
    wrong = rng.random(2000) < share
    p = 1 / (1 + np.exp(-z))
    flags = suspected(np.stack([1 - p, p], 1), (truth ^ wrong).astype(int))
    recall, precision = np.mean(flags[wrong]), np.mean(wrong[flags])
    assert recall > 0.85
    assert precision > 0.75


def test_the_interval_of_the_unexplained_share_covers_what_was_planted() -> None:
    covered = 0
    for seed in range(20):
        z, truth, rng = sound(400, 0.03, seed)
        found = lapse_rate(z, truth ^ (rng.random(400) < 0.08))
        covered += found.low <= 0.08 <= found.high
    assert covered >= 16  # of 20 at 95%: fewer has a chance below 1 in 300


def test_a_lapse_rate_is_found_again_in_endless_data() -> None:
    z, truth, rng = sound(20_000, 0.05, seed=2)
    found = lapse_rate(3 * z + 1, truth ^ (rng.random(20_000) < 0.06))  # overconfident and shifted
    assert found.rate == pytest.approx(0.06, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("error", [0.05, 0.15, 0.25])
@pytest.mark.parametrize("n", [80, 300])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_model_without_label_errors_is_left_alone(error, n, temperature) -> None:
    alarms = sum(flagged(temperature * z, y) for z, y, _ in
                 (sound(n, error, seed) for seed in range(100)))  # fmt: skip
    assert alarms <= 4  # 1% would be 5 or more once in 300 such tests


@pytest.mark.slow
def test_five_per_cent_of_flipped_labels_are_noticed_in_600_cases() -> None:
    noticed = 0
    for seed in range(30):
        z, truth, rng = sound(600, 0.03, seed)
        noticed += flagged(z, truth ^ (rng.random(600) < 0.05))
    assert noticed >= 27

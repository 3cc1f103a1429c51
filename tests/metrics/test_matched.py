"""AUROC after matching: against scikit-learn, against brute force, and by its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from audit.metrics.auroc import auroc_interval, roc, variance
from audit.metrics.matched import matched_auroc, overlap_weights, pairs_within


def drawn(
    rng: np.random.Generator, n: int, strata: int, confounded: float, reads: float
) -> tuple[np.ndarray, ...]:
    """Scores that see the label (.7) and the stratum (`reads`), which may go with the label."""
    place = rng.integers(0, strata, n)
    level = place / max(1, strata - 1) - 0.5
    positive = rng.random(n) < 0.4 + confounded * level
    return rng.normal(0, 1, n) + 0.7 * positive + reads * level, positive, place


def test_the_area_is_that_of_scikit_learn_with_the_same_weights():
    rng = np.random.default_rng(0)
    for strata in (1, 2, 5, 60):
        scores, positive, place = drawn(rng, 150, strata, 0.5, 1.0)
        scores = np.round(scores, 1)  # ties
        found = matched_auroc(scores, positive, np.arange(150), place)
        weights = overlap_weights(positive, place)
        expected = roc_auc_score(positive, scores, sample_weight=weights)
        assert found.roc.area == pytest.approx(expected, abs=1e-12)


def test_one_stratum_changes_neither_the_area_nor_its_error():
    rng = np.random.default_rng(1)
    scores, positive, _ = drawn(rng, 90, 2, 0.0, 0.0)
    patients = rng.integers(0, 40, 90)
    found = matched_auroc(scores, positive, patients, np.zeros(90, np.int64), 40)
    plain = roc(scores, positive, patients, 40)
    assert found.roc.area == pytest.approx(plain.area, abs=1e-12)
    assert variance(found.roc) == pytest.approx(variance(plain), rel=1e-9)
    assert (found.change, found.p) == (pytest.approx(0, abs=1e-12), 1.0)


def test_weights_put_both_labels_in_the_same_proportions_over_the_strata():
    rng = np.random.default_rng(2)
    _, positive, place = drawn(rng, 500, 6, 0.7, 0.0)
    weights = overlap_weights(positive, place)
    ill = np.bincount(place[positive], weights[positive])
    well = np.bincount(place[~positive], weights[~positive])
    assert ill == pytest.approx(well)


def test_pairs_are_those_that_can_be_drawn_one_by_one():
    rng = np.random.default_rng(3)
    _, positive, place = drawn(rng, 80, 7, 0.4, 0.0)
    ill, well = place[positive].tolist(), place[~positive].tolist()
    count = 0
    for value in ill:
        if value in well:
            well.remove(value)
            count += 1
    assert pairs_within(positive, place) == count


def test_a_score_that_is_the_stratum_has_no_area_left_and_the_fall_is_seen():
    rng = np.random.default_rng(4)
    _, positive, place = drawn(rng, 400, 2, 0.6, 0.0)
    found = matched_auroc(place.astype(float), positive, np.arange(400), place)
    assert found.roc.area == pytest.approx(0.5)
    assert found.interval.high < -0.1
    assert found.p < 1e-6


CASES = {
    "few strata, read, unconfounded": (300, 3, 0.0, 2.0),
    "few strata, read, confounded": (300, 3, 0.5, 2.0),
    "few strata, not read, confounded": (300, 2, 0.5, 0.0),
    "many strata, read": (300, 60, 0.4, 1.0),
}


def coverage(case: str, draws: int) -> tuple[float, float]:
    """Shares of intervals that hold the truth: of the matched AUROC, and of its change."""
    n, strata, confounded, reads = CASES[case]
    big = drawn(np.random.default_rng(99), 400_000, strata, confounded, reads)
    scores, positive, place = big
    true = roc_auc_score(positive, scores, sample_weight=overlap_weights(positive, place))
    change = true - roc_auc_score(positive, scores)
    rng, hits = np.random.default_rng(5), np.zeros(2)
    for _ in range(draws):
        scores, positive, place = drawn(rng, n, strata, confounded, reads)
        found = matched_auroc(scores, positive, np.arange(n), place)
        limits = auroc_interval(found.roc)
        hits += [
            limits.low <= true <= limits.high,
            found.interval.low <= change <= found.interval.high,
        ]
    return tuple(hits / draws)


@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_as_often_as_they_say_or_more(case):
    area, change = coverage(case, 200)
    assert area >= 0.91
    assert change >= 0.91


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_in_95_of_100_draws(case):
    area, change = coverage(case, 1000)
    assert 0.93 <= area <= 0.97
    assert 0.93 <= change <= 0.97

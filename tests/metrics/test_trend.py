"""Do errors go with a measure: against scipy and statsmodels, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from statsmodels.stats.contingency_tables import Table

from audit.metrics.trend import places_within, trend_test


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=n), 1)  # with ties
    return values, rng.random(n) < 1 / (1 + np.exp(2 - values))


@pytest.mark.parametrize("seed", range(3))
def test_without_strata_and_repeats_it_is_the_test_of_mann_and_whitney(seed: int) -> None:
    values, wrong = drawn(80, seed)
    theirs = mannwhitneyu(
        values[wrong], values[~wrong], use_continuity=False, method="asymptotic"
    ).pvalue
    mine = trend_test(values, wrong, np.zeros(80, int), np.arange(80))
    assert mine == pytest.approx(theirs, rel=1e-9)


def test_it_is_the_linear_by_linear_test_of_statsmodels_on_rank_scores() -> None:
    values, wrong = drawn(120, 7)
    values = np.clip(np.round(values), -1, 1)
    places = places_within(values, np.zeros(120, int))
    levels = np.unique(places)
    counts = np.array([[np.sum((places == v) & (wrong == w)) for w in (0, 1)] for v in levels])
    theirs = Table(counts, shift_zeros=False).test_ordinal_association(row_scores=levels)
    mine = trend_test(values, wrong, np.zeros(120, int), np.arange(120))
    assert mine == pytest.approx(theirs.pvalue, rel=1e-6)


def test_a_measure_that_only_tells_the_label_is_no_link_within_labels() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    values = labels + 0.1 * rng.normal(size=400)
    wrong = rng.random(400) < np.where(labels == 1, 0.4, 0.05)  # fractures are missed more often
    own = np.arange(400)
    assert trend_test(values, wrong, np.zeros(400, int), own) < 1e-6
    assert trend_test(values, wrong, labels, own) > 0.01


def test_cases_of_one_patient_do_not_count_as_so_many_proofs() -> None:
    """Values and errors are a patient's own: 4 images each. 1,000 draws without any link."""
    rng = np.random.default_rng(3)
    blind, aware = [], []
    for _ in range(1000):
        values = np.repeat(rng.normal(size=60), 4)
        wrong = np.repeat(rng.random(60) < 0.3, 4)
        strata = np.zeros(240, int)
        blind.append(trend_test(values, wrong, strata, np.arange(240)))
        aware.append(trend_test(values, wrong, strata, np.repeat(np.arange(60), 4)))
    assert np.mean(np.array(blind) < 0.05) > 0.2
    assert 0.03 <= np.mean(np.array(aware) < 0.05) <= 0.07


def test_p_values_are_uniform_where_nothing_is_linked() -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], [90, 60])
    found = [
        trend_test(rng.normal(size=150), rng.random(150) < 0.15, labels, np.arange(150))
        for _ in range(1000)
    ]
    for level in (0.01, 0.05, 0.5):
        assert np.mean(np.array(found) < level) <= level + 2.6 * np.sqrt(level / 1000)


def test_nothing_varies_nothing_is_found() -> None:
    own = np.arange(9)
    assert trend_test(np.ones(9), own > 4, np.zeros(9, int), own) == 1
    assert trend_test(own.astype(float), np.zeros(9, bool), np.zeros(9, int), own) == 1

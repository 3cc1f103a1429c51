"""Kappa and its limits against scikit-learn and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from audit.metrics.agreement import cross_table, kappa, kappa_limits

# Fleiss, Cohen & Everitt 1969, table 1: two judges, three categories, 200 cases.
FLEISS = np.array([[53, 5, 2], [11, 14, 5], [1, 6, 3]], dtype=float)


def read(seed: int, classes: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, classes, n)
    second = np.where(rng.random(n) < 0.7, first, rng.integers(0, classes, n))
    return first, second


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_scikit_learns(seed: int, classes: int) -> None:
    first, second = read(seed, classes)
    ours = float(kappa(cross_table(first, second, classes)))
    assert ours == pytest.approx(cohen_kappa_score(first, second))


@pytest.mark.parametrize("seed", range(5))
def test_the_limits_are_those_of_statsmodels(seed: int) -> None:
    table = cross_table(*read(seed, 2), 2)
    theirs = cohens_kappa(table)
    ours = kappa_limits(table)
    assert (ours.low, ours.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp))


def test_the_limits_with_three_classes_are_those_of_statsmodels() -> None:
    theirs, ours = cohens_kappa(FLEISS), kappa_limits(FLEISS)
    assert float(kappa(FLEISS)) == pytest.approx(theirs.kappa)
    assert (ours.low, ours.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp))


def test_readers_who_never_differ_are_not_certain_to_never_differ() -> None:
    limits = kappa_limits(np.diag([30.0, 20.0]))
    # exact lower limit of 50 of 50 is 0.025 ** (1 / 50); chance agreement here is 0.52
    least = 0.025 ** (1 / 50)
    assert (limits.low, limits.high) == (pytest.approx((least - 0.52) / 0.48), 1.0)


def test_readers_who_say_one_thing_only_have_no_kappa() -> None:
    assert np.isnan(kappa(np.diag([40.0, 0.0])))


def test_tables_are_counted_row_for_the_first_and_column_for_the_second() -> None:
    table = cross_table(np.array([0, 0, 1, 2]), np.array([1, 1, 1, 0]), 3)
    assert table[0, 1] == 2
    assert table[1, 1] == table[2, 0] == 1
    assert table.sum() == 4

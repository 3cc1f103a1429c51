"""The paired difference of Brier scores: against scipy, statsmodels and a mean made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from scipy.stats import norm

from audit.compare.compare import compare
from audit.compare.results import Difference
from tests.compare.audits import predictions, subjects, written

N = 120
TARGETS = [i % 2 for i in range(N)]
ALONE = [f"P{i:04d}" for i in range(N)]
IN_PAIRS = [f"P{i // 2:04d}" for i in range(N)]


def scored(place: Path, wrong: set[int], sure: list[float], patients: list[str]) -> Path:
    called = [1 - t if i in wrong else t for i, t in enumerate(TARGETS)]
    return written(place, predictions(subjects(TARGETS, patients), called, sure=sure))


def squares(wrong: set[int], sure: list[float]) -> np.ndarray:
    """By hand: log-odds are ± 2 × sure; a wrong case has the other sign."""
    called = np.array([1 - t if i in wrong else t for i, t in enumerate(TARGETS)])
    return (expit(np.where(called == 1, 2.0, -2.0) * np.array(sure)) - TARGETS) ** 2


def paired(folder: Path, patients: list[str]) -> tuple[Difference, np.ndarray]:
    rng = np.random.default_rng(5)
    first, second = rng.uniform(0.2, 2, N).tolist(), rng.uniform(0.2, 2, N).tolist()
    base, new = {1, 2, 3}, {2, 5, 8, 13, 21}
    found = compare(
        scored(folder / "base", base, first, patients),
        scored(folder / "new", new, second, patients),
    )
    (one,) = found.calibration
    return one, squares(new, second) - squares(base, first)


def test_the_value_is_the_mean_of_the_differences_and_lower_is_better(tmp_path):
    one, change = paired(tmp_path, ALONE)
    assert one.metric == "brier"
    assert one.lower_is_better
    assert one.value == pytest.approx(change.mean(), abs=1e-6)
    assert one.new - one.base == pytest.approx(one.value)


def test_with_one_image_per_patient_the_error_is_that_of_a_mean(tmp_path):
    one, change = paired(tmp_path, ALONE)
    error = change.std(ddof=1) / np.sqrt(N)
    assert one.low == pytest.approx(change.mean() - norm.ppf(0.975) * error, abs=1e-6)
    assert one.p == pytest.approx(2 * norm.sf(abs(change.mean()) / error), abs=1e-5)


def test_with_two_images_per_patient_it_is_the_clustered_error_of_statsmodels(tmp_path):
    one, change = paired(tmp_path, IN_PAIRS)
    groups = np.array([int(p[1:]) for p in IN_PAIRS])
    fit = sm.OLS(change, np.ones(N)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    # statsmodels' small-sample factor is C/(C-1) × (n-1)/(n-1) for one parameter
    assert one.high == pytest.approx(change.mean() + norm.ppf(0.975) * fit.bse[0], abs=1e-6)


def test_the_same_scores_differ_nowhere(tmp_path):
    place = scored(tmp_path / "a", {1}, [1.0] * N, ALONE)
    (one,) = compare(place, place).calibration
    assert (one.value, one.p, one.verdict) == (0.0, 1.0, "no difference shown")


def test_under_ten_positives_there_is_a_reason(tmp_path):
    table = predictions(subjects([1] * 4 + [0] * 30), [1] * 4 + [0] * 30)
    place = written(tmp_path / "few", table)
    (one,) = compare(place, place).calibration
    assert one.value is None
    assert one.reason == "fewer than 10 positives"

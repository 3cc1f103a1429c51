"""The patient bootstrap against arithmetic by hand, theory and simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest

from audit.metrics.bootstrap import (
    patient_sums,
    percentile_limits,
    resample,
    resampled_ratios,
    resampled_totals,
)


def test_every_resample_keeps_the_number_of_patients_with_and_without_a_positive_image() -> None:
    patients = np.array([7, 7, 3, 3, 9, 1, 1, 1])
    positive = np.array([True, False, False, False, True, False, False, False])
    drawn = resample(patients, positive, 500, seed=4)
    with_positive = np.isin(np.unique(patients), [7, 9])
    assert (drawn.weights[:, with_positive].sum(axis=1) == 2).all()
    assert (drawn.weights[:, ~with_positive].sum(axis=1) == 2).all()
    assert drawn.weights.shape == (500, 4)


def test_without_strata_the_share_of_positive_patients_varies_as_it_does_between_samples() -> None:
    patients = np.arange(200)
    drawn = resample(patients, None, 4000, seed=4)
    share = drawn.weights[:, :50].sum(axis=1) / 200
    assert share.mean() == pytest.approx(0.25, abs=0.005)
    assert share.std() == pytest.approx((0.25 * 0.75 / 200) ** 0.5, rel=0.05)


def test_the_same_seed_draws_the_same_and_another_seed_does_not() -> None:
    patients, positive = np.arange(30), np.arange(30) < 10
    one, again, other = (resample(patients, positive, 50, seed) for seed in (1, 1, 2))
    assert (one.weights == again.weights).all()
    assert (one.weights != other.weights).any()


def test_many_patients_are_drawn_in_blocks_that_still_add_up() -> None:
    patients = np.arange(9000)
    drawn = resample(patients, patients < 4500, 1000, seed=0)
    assert (drawn.weights[:, :4500].sum(axis=1) == 4500).all()
    assert drawn.weights.var() == pytest.approx(1 - 1 / 4500, rel=0.01)


def test_ratios_equal_a_loop_over_the_drawn_patients() -> None:
    rng = np.random.default_rng(0)
    patients = rng.integers(0, 12, 40)
    whole = rng.random((40, 2)) < 0.8
    part = whole & (rng.random((40, 2)) < 0.5)
    drawn = resample(patients, rng.random(40) < 0.5, 20, seed=3)
    found = resampled_ratios(drawn, patient_sums(drawn, part), patient_sums(drawn, whole))
    for b in range(20):
        rows = [
            row
            for number, patient in enumerate(np.unique(patients))
            for _ in range(int(drawn.weights[b, number]))
            for row in np.flatnonzero(patients == patient)
        ]
        assert found[b] == pytest.approx(part[rows].sum(axis=0) / whole[rows].sum(axis=0))


def test_one_image_per_patient_gives_the_binomial_standard_error() -> None:
    right = (np.arange(400) < 300)[:, None]
    drawn = resample(np.arange(400), np.zeros(400, bool), 4000, seed=0)
    sums = patient_sums(drawn, right), patient_sums(drawn, np.ones((400, 1)))
    draws = resampled_ratios(drawn, *sums)
    assert draws.std() == pytest.approx((0.75 * 0.25 / 400) ** 0.5, rel=0.05)
    low, high = percentile_limits(draws)
    assert (low[0], high[0]) == pytest.approx((0.7075, 0.7925), abs=0.005)


def test_resamples_without_a_denominator_are_left_out() -> None:
    draws = np.array([[0.2], [0.4], [np.nan], [0.6], [np.nan]])
    low, high = percentile_limits(draws, level=1.0)
    assert (low[0], high[0]) == (0.2, 0.6)


def test_totals_of_resamples_are_those_of_the_patients_written_out() -> None:
    rng = np.random.default_rng(5)
    drawn = resample(np.repeat(np.arange(30), 2), None, 40, seed=3)
    sums = rng.integers(0, 9, (30, 3)).astype(np.float32)
    written_out = [sums[np.repeat(np.arange(30), w)].sum(axis=0) for w in drawn.weights]
    assert (resampled_totals(drawn, sums) == np.stack(written_out)).all()


def test_weights_do_not_depend_on_how_many_draws_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    patients = np.arange(70)
    one = resample(patients, patients < 20, 50, seed=3)
    monkeypatch.setattr("audit.metrics.bootstrap._BLOCK", 333)
    assert (resample(patients, patients < 20, 50, seed=3).weights == one.weights).all()

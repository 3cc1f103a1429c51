"""The search for weak slices: against enumeration, on nothing to find, and on something."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import hypergeom

from audit.metrics.slices import Question, Searched, exchanged, search

Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def made_up(
    rng: np.random.Generator, patients: int, repeats: bool, error: float, blind: float = 0.0
) -> Data:
    """What is wrong, slices of four attributes and their pairs, outcomes and patients; in the
    slice "lateral, first sex" errors are at least `blind`."""
    images = rng.integers(1, 4, patients) if repeats else np.ones(patients, int)
    who = np.repeat(np.arange(patients), images)
    chance = rng.beta(2 * error, 2 * (1 - error), patients)[who] if repeats else error
    values = [
        (rng.random(patients) < 0.5)[who].astype(int),
        rng.integers(0, 4, patients)[who],
        rng.integers(0, 3, patients)[who],
        (rng.random(len(who)) < 0.4).astype(int),  # of the image, not of the patient
    ]
    single = [[column == v for v in np.unique(column)] for column in values]
    slices = [inside for column in single for inside in column]
    slices += [a & b for one, two in combinations(single, 2) for a in one for b in two]
    there = (values[0] == 1) & (values[3] == 1)
    wrong = rng.random(len(who)) < np.where(there, np.maximum(chance, blind), chance)
    ill = (rng.random(patients) < 0.35)[who].astype(int)
    return wrong, np.stack(slices, axis=1), ill, who


def searched(data: Data, seed: int, draws: int = 400) -> Searched:
    wrong, slices, ill, who = data
    asked = [
        Question(wrong, (0, 1)),
        Question(wrong & (ill == 1), (1,)),
        Question(wrong & (ill == 0), (0,)),
    ]
    return search(asked, slices, ill, who, 10, draws, np.random.default_rng(seed))


def false_alarms(sets: int, patients: int, repeats: bool, error: float) -> float:
    rng = np.random.default_rng(patients)
    found = [searched(made_up(rng, patients, repeats, error), i) for i in range(sets)]
    return float(np.mean([np.nanmin(one.p_adjusted) < 0.05 for one in found]))


def test_homogeneous_data_are_left_alone() -> None:
    assert false_alarms(100, 150, repeats=True, error=0.15) <= 0.12  # 5% + three standard errors


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize(("patients", "error"), [(150, 0.15), (300, 0.05)])
def test_homogeneous_data_are_left_alone_in_19_of_20_sets(
    patients: int, error: float, repeats: bool
) -> None:
    assert false_alarms(500, patients, repeats, error) <= 0.05 + 2 * (0.05 * 0.95 / 500) ** 0.5


@pytest.mark.parametrize("repeats", [True, False])
def test_a_blind_spot_in_a_crossing_is_found_and_leads(repeats: bool) -> None:
    rng, found = np.random.default_rng(5), 0
    for i in range(20):
        data = made_up(rng, 250, repeats, 0.08, blind=0.6)
        told = searched(data, i)
        spot = blind_column(data)
        found += told.p_adjusted[0, spot] < 0.05 and np.nanargmax(told.score[0]) == spot
    assert found >= 19


def blind_column(data: Data) -> int:
    """The column of "lateral, first sex": the only crossing of columns 1 and 10."""
    slices = data[1]
    target = slices[:, 1] & slices[:, 10]
    return next(i for i in range(11, slices.shape[1]) if (slices[:, i] == target).all())


def test_the_p_of_one_slice_is_fishers_one_sided_one() -> None:
    rng = np.random.default_rng(2)
    inside = np.arange(60) < 25
    wrong = rng.random(60) < np.where(inside, 0.5, 0.2)
    zero = np.zeros(60, int)
    found = search([Question(wrong, (0,))], inside[:, None], zero, np.arange(60), 10, 20_000, rng)
    expected = hypergeom.sf(wrong[inside].sum() - 1, 60, wrong.sum(), 25)
    assert found.p[0, 0] == pytest.approx(expected, abs=4 * (expected / 20_000) ** 0.5)
    assert found.p_adjusted[0, 0] == pytest.approx(found.p[0, 0])
    assert found.excess[0, 0] == pytest.approx(wrong[inside].mean() - wrong[~inside].mean())


def test_accuracy_is_compared_at_the_slices_own_mix_of_outcomes() -> None:
    ill = np.r_[np.ones(60, int), np.zeros(140, int)]
    inside = np.r_[np.ones(40, bool), np.zeros(20, bool), np.ones(20, bool), np.zeros(120, bool)]
    wrong = np.zeros(200, bool)
    wrong[:24] = wrong[40:52] = True  # 60% of the ill, in the slice and beside it; no other
    found = search(
        [Question(wrong, (0, 1))], inside[:, None], ill, np.arange(200), 10, 500,
        np.random.default_rng(0),
    )  # fmt: skip
    assert wrong[inside].mean() - wrong[~inside].mean() > 0.3
    assert found.excess[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert found.p[0, 0] > 0.3


def test_each_exchange_keeps_patients_whole_and_outcomes_apart() -> None:
    rng = np.random.default_rng(1)
    wrong, _, ill, who = made_up(rng, 60, repeats=True, error=0.3)
    ill = np.where(rng.random(len(ill)) < 0.2, 1 - ill, ill)  # some patients have both
    (block,) = exchanged([Question(wrong, (0, 1))], ill, who, 50, rng)
    assert block.shape == (50, len(wrong))
    assert (block != block[0]).any()

    def patients(codes: np.ndarray) -> list[tuple[int, int, int, int]]:
        """Per patient: images and errors of each outcome."""
        return sorted(
            (int((ill[who == p] == 0).sum()), int(codes[(who == p) & (ill == 0)].sum()),
             int((ill[who == p] == 1).sum()), int(codes[(who == p) & (ill == 1)].sum()))
            for p in np.unique(who)
        )  # fmt: skip

    assert all(patients(row) == patients(wrong) for row in block)


def test_a_slice_of_too_few_is_not_asked() -> None:
    inside = np.stack([np.arange(100) < 9, np.arange(100) < 95, np.arange(100) < 50], axis=1)
    wrong = np.arange(100) % 3 == 0
    found = search(
        [Question(wrong, (0,))], inside, np.zeros(100, int), np.arange(100), 10, 99,
        np.random.default_rng(0),
    )  # fmt: skip
    assert np.isnan(found.p_adjusted[0]).tolist() == [True, True, False]


def test_the_same_seed_gives_the_same_answer() -> None:
    data = made_up(np.random.default_rng(0), 80, repeats=True, error=0.2)
    one, again = searched(data, 3), searched(data, 3)
    assert np.array_equal(one.p_adjusted, again.p_adjusted, equal_nan=True)

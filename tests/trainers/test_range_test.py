"""The range test: its rates and its reading by hand, and nothing of it left behind."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from toy_training import CLASSES, Told, run, tiny, toy

from audit.study_results import RangeTest
from trainers import fit as fitting
from trainers.fitting import range_test as testing
from trainers.fitting import tuning
from trainers.fitting.loop import course_of
from trainers.fitting.range_test import best_decay, range_test, smoothed, suggestion, valley
from trainers.fitting.steps import Steps
from trainers.fitting.tuning import read_off
from trainers.recipe import Recipe


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch):
    monkeypatch.setattr(fitting, "build", tiny)


def toy_steps(**settings):
    recipe = Recipe("tiny", size=16, batch_size=16, augmentation="gentle", **settings)
    torch.manual_seed(0)
    return course_of(
        tiny("tiny", 2), recipe, toy(64, 1), toy(40, 2),
        classes=CLASSES, positive_class="fracture", way=fitting.Preparation(height=16, width=16),
    ).steps  # fmt: skip


def scripted(monkeypatch, losses):
    """Every step answers the next of these losses; the rates it was asked for are returned."""
    asked, left = [], iter(losses)

    def step(self, optimiser, *given):
        asked.append([group["lr"] for group in optimiser.param_groups])
        return torch.tensor(next(left), dtype=torch.float64)

    monkeypatch.setattr(Steps, "step", step)
    return asked


def test_the_rates_rise_from_1e_7_by_the_same_factor_in_every_group(monkeypatch):
    asked = scripted(monkeypatch, [1.0] * 100)
    found = range_test(toy_steps(), "all", 0.01, lambda done: None)
    expected = [1e-7 * 1e8 ** (i / 100) for i in range(100)]
    assert list(found.rates) == pytest.approx(expected)
    assert found.rates[50] == pytest.approx(1e-3)
    assert [group for group, _ in asked] == pytest.approx(expected)
    assert all(len(set(groups)) == 1 and len(groups) == 2 for groups in asked)


def test_the_smoothed_loss_is_the_weighted_mean_of_all_losses_so_far():
    losses = list(np.random.default_rng(0).uniform(0.2, 2, 40))
    for i, found in enumerate(smoothed(losses)):
        weights = 0.98 ** np.arange(i, -1, -1)
        assert found == pytest.approx(np.average(losses[: i + 1], weights=weights))


def test_the_test_stops_where_the_smoothed_loss_exceeds_four_times_its_best(monkeypatch):
    # Mean of n ones and one loss of L, weighted: above 4 at the first huge loss.
    scripted(monkeypatch, [1.0] * 30 + [1000.0] * 70)
    found = range_test(toy_steps(), "all", 0.01, lambda done: None)
    assert len(found.rates) == 31
    assert found.smoothed[-1] > 4 > found.smoothed[-2]
    # By hand: weight of the newest is .02 / (1 - .98^n); 4.2 of 1.0 stays just below 4.
    scripted(monkeypatch, [1.0] * 30 + [4.2] * 70)
    assert len(range_test(toy_steps(), "all", 0.01, lambda done: None).rates) == 100


def test_the_test_stops_at_a_loss_that_is_no_number_and_keeps_the_points_before(monkeypatch):
    scripted(monkeypatch, [1.0] * 25 + [math.nan] * 75)
    found = range_test(toy_steps(), "frozen", 0.01, lambda done: None)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) == 25
    assert found.phase == "frozen"


def test_the_suggestion_is_the_steepest_fall_between_the_first_ten_and_the_last_five():
    rates = [10.0**i for i in range(30)]
    smooth = [10.0 - 0.01 * i for i in range(30)]
    fall = np.array(smooth)
    fall[4:] -= 5  # steeper, but among the first ten
    fall[18:] -= 1  # steepest of what counts: half of it on either side of 17 | 18
    fall[27:] -= 5  # steeper, but among the last five
    assert suggestion(rates, fall) == 10.0**17
    kept = fall[10:25]
    assert np.diff(kept).argmin() + 10 == 17  # the fall that numpy's gradient must find


def test_there_is_no_suggestion_from_too_few_points_or_from_a_loss_that_never_falls():
    rates = [10.0**i for i in range(40)]
    assert suggestion(rates[:16], [1.0 - 0.01 * i for i in range(16)]) is None
    assert suggestion(rates[:17], [1.0 - 0.01 * i for i in range(17)]) is not None
    assert suggestion(rates, [1.0 + 0.01 * i for i in range(40)]) is None
    assert suggestion([], []) is None


def test_the_network_its_mode_and_the_random_numbers_are_as_before():
    steps = toy_steps()
    steps.module.eval()
    before = {name: value.clone() for name, value in steps.module.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = range_test(steps, "all", 0.01, lambda done: None)
    assert max(found.losses) != min(found.losses)  # it did train
    assert torch.equal(torch.rand(3), expected)
    after = steps.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not steps.module.training


def test_a_training_after_range_tests_is_the_training_without_them(monkeypatch):
    plain = run(freeze_epochs=1, max_epochs=2, lr=0.02, weight_decay=0.01)[0].state_dict()
    monkeypatch.setattr(testing, "suggestion", lambda *a: 0.02)
    tuned = run(freeze_epochs=1, max_epochs=2, lr="auto", weight_decay=0.01)[0].state_dict()
    assert all(torch.equal(plain[name], tuned[name]) for name in plain)


def test_the_valley_is_the_middle_of_the_longest_fall():
    rates = [10.0**i for i in range(30)]
    smooth = [5.0] * 12 + [5.0 - 0.1 * i for i in range(9)] + [6.0] * 9
    smooth[15] = 9.0  # one point of noise does not end the fall
    # the fall begins at the last flat point that counts or its like (10 | 11 | 12, all 5.0; the
    # first that gives the length is taken) and ends at 20
    assert valley(rates, smooth) == 10.0**15
    assert valley(rates, [1.0 + 0.1 * i for i in range(30)]) is None
    assert valley(rates[:15], smooth[:15]) is None  # nothing is left that counts


@pytest.mark.parametrize(
    ("suggestion", "used", "why"),
    [
        (1e-3, 1e-3, "range test: where the loss falls fastest"),
        (1.1e-4, 1.1e-4, "range test: where the loss falls fastest"),
        (0.9e-4, 1e-3, "range test: the middle of the longest fall; 9.0e-05"),
        (None, 3e-3, "default: no suggestion from 21 points"),
    ],
)
def test_a_suggestion_far_below_the_longest_fall_is_noise(suggestion, used, why):
    fall = [5.0, 4.0, 3.0, 2.0, 1.0, 7.0]  # points 10 to 15: the middle of the fall is 12
    smooth = [9.0] * 10 + fall + [9.0] * 5
    rates = [10.0 ** ((i - 12) / 2 - 3) for i in range(21)]
    found = RangeTest(
        phase="all", weight_decay=0.01, rates=tuple(rates), losses=tuple(smooth),
        smoothed=tuple(smooth), suggestion=suggestion,
    )  # fmt: skip
    lr, said = read_off(found)
    assert lr == pytest.approx(used)
    assert said.startswith(why)


def curve(decay, lowest):
    return RangeTest(phase="all", weight_decay=decay, smoothed=(1.0, lowest, 2.0))


@pytest.mark.parametrize(
    ("lowest", "expected"),
    [
        ({1e-2: 0.50, 1e-3: 0.40, 1e-4: 0.45}, 1e-3),  # the lowest loss
        ({1e-2: 0.403, 1e-3: 0.40, 1e-4: 0.40}, 1e-2),  # equal to 1%: the most decay
        ({1e-2: 0.405, 1e-3: 0.403, 1e-4: 0.40}, 1e-3),  # the first is 1.25% off
    ],
)
def test_the_weight_decay_is_that_of_the_lowest_loss_and_of_equals_the_largest(lowest, expected):
    tests = [curve(decay, low) for decay, low in lowest.items()]
    assert best_decay(tests).weight_decay == expected


def test_a_decay_whose_test_broke_at_once_is_not_chosen():
    broken = RangeTest(phase="all", weight_decay=1e-2)
    assert best_decay([broken, curve(1e-3, 0.4)]).weight_decay == 1e-3


def test_auto_tests_every_decay_before_the_first_phase_and_the_chosen_one_before_the_next():
    told = Told()
    _, description, log = run(
        freeze_epochs=1, max_epochs=1, lr="auto", weight_decay="auto", progress=told
    )
    tested = [(test.phase, test.weight_decay) for test in log.range_tests]
    chosen = [test for test in log.range_tests if test.chosen]
    assert tested == [
        ("frozen", 1e-2), ("frozen", 1e-3), ("frozen", 1e-4), ("all", chosen[0].weight_decay)
    ]  # fmt: skip
    assert [test.phase for test in chosen] == ["frozen", "all"]
    used = description.training["log"]["used"]["phases"]
    for test in chosen:
        assert used[test.phase]["lr"] == read_off(test)[0]
        assert used[test.phase]["weight_decay"] == chosen[0].weight_decay
        assert used[test.phase]["lr_from"].startswith("range test: ")
    assert [epoch.peak_lr for epoch in log.epochs] == [read_off(test)[0] for test in chosen]
    assert sum("range test" in note for note in told.notes) == 2
    assert sum("range test" in name for name in told.bars) == 4
    assert all(moves[-1] == (100, 100) for name, moves in told.bars.items() if "range" in name)


def test_all_decays_see_the_same_batches(monkeypatch):
    seen = []
    real = Steps.batch

    def batch(self, *given):
        x, y = real(self, *given)
        seen.append(float(x.sum()))
        return x, y

    steps = toy_steps()
    monkeypatch.setattr(Steps, "batch", batch)
    monkeypatch.setattr(testing, "TOO_HIGH", math.inf)
    first, second = (range_test(steps, "all", decay, lambda d: None) for decay in (1e-2, 1e-4))
    assert seen[:100] == seen[100:]
    assert first.losses[0] == second.losses[0]
    assert first.losses != second.losses


def test_no_suggestion_is_recorded_and_the_librarys_default_is_used(monkeypatch):
    monkeypatch.setattr(testing, "suggestion", lambda *a: None)
    told = Told()
    _, description, log = run(max_epochs=1, lr="auto", progress=told)
    used = description.training["log"]["used"]["phases"]["all"]
    assert used["lr"] == tuning.FALLBACK_LR == 3e-3
    assert used["lr_from"].startswith("default: no suggestion from")
    assert any("0.003 (default" in note for note in told.notes)
    assert log.range_tests[0].suggestion is None


def test_a_given_rate_with_an_open_decay_keeps_the_rate():
    _, _, log = run(max_epochs=1, lr=0.01, weight_decay="auto")
    assert log.epochs[0].peak_lr == 0.01
    assert len(log.range_tests) == 3
    assert run(max_epochs=1)[2].range_tests == ()

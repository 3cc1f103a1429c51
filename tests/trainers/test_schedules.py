"""Rates and momenta step by step, against torch's own schedulers."""

from __future__ import annotations

import pytest
import torch
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR
from toy_training import run, tiny

from trainers import fit as fitting
from trainers.fitting import steps
from trainers.fitting.schedules import one_cycle, triangular


def optimiser(lr=0.1):
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=lr, betas=(0.9, 0.99))


def followed(scheduler, count):
    """(rate, momentum) at each step as torch's scheduler sets them."""
    found, group = [], scheduler.optimizer.param_groups[0]
    for _ in range(count):
        found.append((group["lr"], group["betas"][0]))
        scheduler.optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("total", [10, 24, 217 * 3])
def test_one_cycle_is_torchs_one_cycle_at_every_step(total):
    reference = OneCycleLR(optimiser(), max_lr=0.1, total_steps=total)
    expected = followed(reference, total - 1)
    for step, (lr, momentum) in enumerate(expected):
        share, found = one_cycle(step, total)
        assert share * 0.1 == pytest.approx(lr, rel=1e-9)
        assert found == pytest.approx(momentum, rel=1e-9)


def test_one_cycle_begins_at_a_25th_peaks_at_30_per_cent_and_ends_at_nothing():
    assert one_cycle(0, 100) == pytest.approx((1 / 25, 0.95))
    assert one_cycle(29, 100) == pytest.approx((1, 0.85))
    assert one_cycle(99, 100) == pytest.approx((1 / 250_000, 0.95))


@pytest.mark.parametrize("total", [1, 2, 3, 4])
def test_a_cycle_of_few_steps_keeps_to_its_range(total):
    for step in range(total):
        share, momentum = one_cycle(step, total)
        assert 1 / 250_000 <= share <= 1
        assert 0.85 <= momentum <= 0.95


@pytest.mark.parametrize("per_epoch", [3, 217])
def test_triangular_is_torchs_cyclic_policy_with_two_epochs_up(per_epoch):
    reference = CyclicLR(
        optimiser(),
        base_lr=0.1 / 4,
        max_lr=0.1,
        step_size_up=2 * per_epoch,
        mode="triangular",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
    )
    for step, (lr, momentum) in enumerate(followed(reference, 9 * per_epoch)):
        share, found = triangular(step, per_epoch)
        assert share * 0.1 == pytest.approx(lr, rel=1e-9)
        assert found == pytest.approx(momentum, rel=1e-9)


@pytest.fixture
def rates(monkeypatch):
    """What the training really set, step by step: (rate of each group, momentum)."""
    monkeypatch.setattr(fitting, "build", tiny)
    seen, real = [], steps.set_rates

    def watched(optimiser, share, momentum):
        real(optimiser, share, momentum)
        groups = optimiser.param_groups
        seen.append(([group["lr"] for group in groups], groups[0]["betas"]))

    monkeypatch.setattr(steps, "set_rates", watched)
    return seen


def test_a_training_steps_through_one_cycle_for_each_phase(rates):
    run(freeze_epochs=2, max_epochs=3, lr=0.1)  # 4 steps an epoch
    expected = [
        pair
        for epochs in (2, 3)
        for pair in [
            *followed(OneCycleLR(optimiser(), max_lr=0.1, total_steps=4 * epochs), 4 * epochs - 1),
            (0.1 / 250_000, 0.95),
        ]
    ]
    assert [groups[-1] for groups, _ in rates] == pytest.approx([lr for lr, _ in expected])
    assert [betas[0] for _, betas in rates] == pytest.approx([momentum for _, momentum in expected])
    assert {betas[1] for _, betas in rates} == {0.99}


def test_the_cyclical_policy_begins_after_the_frozen_cycle_and_the_body_gets_a_tenth(rates):
    run(freeze_epochs=1, max_epochs=3, lr=0.1, schedule="triangular", spread="slice")
    after = rates[4:]
    assert [groups[-1] for groups, _ in after] == pytest.approx(
        [0.1 * triangular(step, 4)[0] for step in range(12)]
    )
    assert after[0][0] == pytest.approx([0.0025, 0.025])  # peak/4, and a tenth of it
    assert after[8][0] == pytest.approx([0.01, 0.1])  # two epochs later: the peak

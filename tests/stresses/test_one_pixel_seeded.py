"""The gradient-seeded pixel search against hand-made slopes and a planted sensitive pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audit.errors import HipauditError, StressFailed
from audit.stresses.one_pixel_seeded import gradient, seeds_of
from audit.stresses.registry import get_stress
from tests.toys import Unmoved, attack, batch_of, classifier_of

SIDE, COLUMN, ROW = 24, 17, 6


class Sensitive(nn.Module):
    """A convolutional network with one weak spot: only there does the last layer look hard.

    Nothing near the spot attracts a search, as one output of the last layer sees 3 × 3 pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blur = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.blur.weight.data = torch.tensor([[[[0, 0.1, 0], [0.1, 1.0, 0.1], [0, 0.1, 0]]]])
        self.look = torch.full((SIDE, SIDE), 1e-3)
        self.look[ROW, COLUMN] = 4.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = torch.relu(self.blur(x.mean(1, keepdim=True)))[:, 0]
        score = 3.0 - (seen * self.look).sum((1, 2))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def test_the_gradient_is_that_of_the_log_odds() -> None:
    class Linear(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a, b, c = (x[:, 0, 0, i] for i in range(3))
            return torch.stack([2 * a, 3 * b, 5 * c], dim=1)

    model = classifier_of(Linear(), 1, 3)
    x = torch.tensor([[[0.3, 0.2, 0.4]]])
    p = torch.softmax(torch.tensor([0.6, 2.0]), 0)  # of the two others, given not the first
    expected = torch.tensor([[[2.0, -3 * p[0], -5 * p[1]]]])
    torch.testing.assert_close(gradient(model, x, 0), expected)


def test_places_are_ranked_by_slope_times_room_and_the_other_extreme_comes_after() -> None:
    x = torch.tensor([[[0.5, 0.1, 0.9, 0.5]]])
    slope = torch.tensor([[[1.0, 8.0, -20.0, -1.2]]])
    # fall towards black: .5, .8; towards white: 20 · .1 = 2, 1.2 · .5 = .6
    seeds = seeds_of(x, slope, pixels=1, count=3)
    columns = [2, 1, 3]
    assert np.floor(seeds[:, 0]).tolist() == columns * 2
    assert np.floor(seeds[:, 1]).tolist() == [0] * 6
    assert seeds[:, 2].tolist() == [255.0, 0.0, 255.0, 0.0, 255.0, 0.0]
    pairs = seeds_of(x, slope, pixels=2, count=9)
    assert np.floor(pairs[:3, [0, 3]]).tolist() == [[2, 1], [1, 3], [3, 0]]


def test_colours_are_ranked_by_the_sum_over_channels_and_go_to_corners() -> None:
    x = torch.full((3, 1, 2), 0.5)
    slope = torch.tensor([[[1.0, 2.0]], [[-3.0, 0.5]], [[1.0, 1.0]]])
    seeds = seeds_of(x, slope, pixels=1, count=2)
    assert np.floor(seeds[:, 0]).tolist() == [0, 1, 0, 1]  # 2.5 before 1.75
    assert seeds[0, 2:].tolist() == [0.0, 255.0, 0.0]
    assert seeds[2, 2:].tolist() == [255.0, 0.0, 255.0]


def test_at_an_equal_budget_it_finds_a_weak_spot_that_the_plain_search_misses() -> None:
    x = torch.rand(6, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 0.4
    model = classifier_of(Sensitive(), SIDE, SIDE)
    budget = 60
    plain, seeded = batch_of(x), batch_of(x)
    attack(model, plain, "one_pixel", queries=budget)
    assert plain.open.sum() >= 5
    (altered,) = attack(model, seeded, "one_pixel_seeded", queries=budget - 1)
    assert not seeded.open.any()
    assert altered.queries == [2] * 6  # the gradient, and the place it points to
    for said in altered.found:
        assert (said["x"], said["y"], said["value"]) == (COLUMN, ROW, 1.0)


class Deceiving(nn.Module):
    """The gradient points towards black, but only white fools: score 1 + x − 6 x⁴ at one place."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        here = x[:, 0, ROW, COLUMN]
        score = 1 + here - 6 * here**4 + 0 * x.mean((1, 2, 3))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def test_where_the_slope_misleads_the_other_extreme_is_tried_too() -> None:
    batch = batch_of(torch.full((1, 1, SIDE, SIDE), 0.1))
    (altered,) = attack(classifier_of(Deceiving(), SIDE, SIDE), batch, "one_pixel_seeded", seeds=5)
    assert altered.queries == [1 + 5 + 1]
    assert altered.found[0]["value"] == 1.0


def test_a_gradient_that_is_zero_everywhere_is_told_and_the_plain_search_goes_on() -> None:
    batch = batch_of(torch.zeros(2, 1, 8, 8))
    (altered,) = attack(classifier_of(Unmoved(), 8, 8), batch, "one_pixel_seeded", queries=40)
    assert [said["zero_gradient"] for said in altered.found] == [True, True]
    assert altered.queries == [41, 41]


def test_it_is_white_box_and_its_cost_includes_the_gradient() -> None:
    stress = get_stress("one_pixel_seeded")
    assert stress.needs_gradients
    model = classifier_of(Sensitive(), SIDE, SIDE)
    params = stress.check({"queries": 30, "seeds": 1})
    plain = get_stress("one_pixel").check({"queries": 30})
    assert stress.cost(params) == get_stress("one_pixel").cost(plain) + 3
    list(stress.perturb(model, batch_of(torch.zeros(1, 1, SIDE, SIDE)), **params))
    assert model.forwards <= stress.cost(params)


class NoSlope(nn.Module):
    """Finite logits, a gradient that is not: the root of 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        score = 1 + x.mean((1, 2, 3)).sqrt()
        return torch.stack([torch.zeros_like(score), score], dim=1)


def test_a_gradient_that_is_not_finite_is_a_named_failure() -> None:
    with pytest.raises(StressFailed, match="gradient is not finite"):
        attack(
            classifier_of(NoSlope(), 8, 8), batch_of(torch.zeros(1, 1, 8, 8)), "one_pixel_seeded"
        )


def test_a_wrong_number_of_seeds_is_refused() -> None:
    with pytest.raises(HipauditError, match="`seeds` to be a whole number from 1"):
        attack(
            classifier_of(Unmoved(), 8, 8),
            batch_of(torch.zeros(1, 1, 8, 8)),
            "one_pixel_seeded",
            seeds=0,
        )

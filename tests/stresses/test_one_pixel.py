"""The one-pixel attack against planted pixels and brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.attempt import Sight, stressed_rows
from audit.cases.case import Case
from audit.errors import HipauditError, StressFailed
from audit.stresses.registry import Altered, get_stress
from tests.toys import (
    FooledByPixel,
    NotFinite,
    Unmoved,
    attack,
    balanced_net,
    batch_of,
    classifier_of,
    decided,
)

H, W, COLUMN, ROW = 16, 24, 19, 5  # column 19 does not exist as a row
MODES = ["su2019", "art"]


def search(module: torch.nn.Module, x: torch.Tensor, **params: object) -> Altered:
    batch = batch_of(x)
    found = attack(classifier_of(module, *x.shape[-2:], x.shape[1]), batch, "one_pixel", **params)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 3])
def test_it_finds_the_planted_pixel_and_says_where(mode: str, channels: int) -> None:
    x = torch.zeros(6, channels, H, W)
    toy = FooledByPixel(COLUMN, ROW, H, W)
    altered = search(toy, x, mode=mode, queries=6000)
    assert decided(classifier_of(toy, H, W, channels), altered.images).tolist() == [0] * 6
    for image, said in zip(altered.images, altered.found, strict=True):
        assert (said["x"], said["y"], said["fooled_in_search"]) == (COLUMN, ROW, True)
        assert image.any(0).nonzero().tolist() == [[ROW, COLUMN]]
        names = ["value"] if channels == 1 else ["red", "green", "blue"]
        assert [said[name] for name in names] == pytest.approx(image[:, ROW, COLUMN].tolist())


@pytest.mark.parametrize("mode", MODES)
def test_no_pixel_is_found_where_brute_force_over_all_levels_finds_none(mode: str) -> None:
    toy = FooledByPixel(COLUMN, ROW, H, W)
    x = torch.zeros(2, 1, H, W)
    toy.weight[ROW, COLUMN] = 0.0  # the planted pixel does nothing; its neighbours are too weak
    brightest = torch.eye(H * W).view(-1, 1, H, W)
    assert set(decided(classifier_of(toy, H, W), brightest)) == {1}
    altered = search(toy, x, mode=mode, queries=2000)
    assert [said["fooled_in_search"] for said in altered.found] == [False, False]
    assert altered.queries == [2000, 2000]


def test_where_nothing_fools_the_best_candidate_still_obeys_the_contract() -> None:
    x = torch.rand(3, 1, H, W, generator=torch.Generator().manual_seed(1))
    altered = search(Unmoved(), x, queries=50, population=20)
    assert altered.images.shape == x.shape
    assert altered.images.dtype == torch.float32
    assert ((altered.images != x).sum((1, 2, 3)) <= 1).all()
    assert not any(said["fooled_in_search"] for said in altered.found)


@pytest.mark.parametrize("pixels", [1, 3, 5])
@pytest.mark.parametrize("channels", [1, 3])
def test_no_more_places_change_than_pixels_allowed_and_levels_are_whole(
    pixels: int, channels: int
) -> None:
    x = torch.rand(4, channels, H, W, generator=torch.Generator().manual_seed(1))
    altered = search(Unmoved(), x, pixels=pixels, queries=60, population=20)
    changed = (altered.images != x).any(1)
    assert (changed.sum((1, 2)) <= pixels).all()
    assert (changed.sum((1, 2)) == pixels).any()
    levels = 255 * altered.images.permute(0, 2, 3, 1)[changed].double()
    np.testing.assert_allclose(levels, levels.round(), atol=1e-4)
    stress = get_stress("one_pixel")
    assert stress.budget is not None
    assert stress.budget({"pixels": pixels}, {}) == pixels
    last = "" if pixels == 1 else str(pixels)
    assert {f"x{last}", f"y{last}"} <= set(altered.found[0])


def test_three_pixels_together_fool_where_one_is_not_enough() -> None:
    toy = FooledByPixel(COLUMN, ROW, H, W)
    toy.weight *= 0.7
    x = torch.zeros(2, 1, H, W)
    one = search(toy, x, queries=3000)
    three = search(toy, x, pixels=3, queries=3000)
    assert [said["fooled_in_search"] for said in one.found] == [False, False]
    assert [said["fooled_in_search"] for said in three.found] == [True, True]


def test_it_fools_no_image_that_brute_force_cannot_and_most_that_it_can() -> None:
    side, levels = 12, [0.0, 1.0]
    net, x, y = balanced_net(30, side, seed=2)
    model = classifier_of(net, side, side)
    can = []
    for image, target in zip(x, y, strict=True):
        every = image.repeat(side * side * 2, 1, 1, 1)
        for index, (place, level) in enumerate((p, v) for p in range(side * side) for v in levels):
            every[index, 0, place // side, place % side] = level
        can.append(bool((decided(model, every) != int(target)).any()))
    batch = batch_of(x)
    batch.y = y
    attack(model, batch, "one_pixel", queries=2000)
    fooled = ~batch.open
    assert 3 < sum(can) < 27
    assert fooled.sum() >= 0.9 * sum(can)
    # The decision is not monotone in a level, so only the extremes are enumerated above; an
    # image fooled beyond them must be fooled by the pixel shown, which `attack` verified.
    assert (fooled & ~np.array(can)).sum() <= 1


@pytest.mark.parametrize("mode", MODES)
def test_a_case_is_searched_alike_alone_and_in_a_batch(mode: str) -> None:
    x = torch.zeros(3, 1, H, W)
    toy = FooledByPixel(COLUMN, ROW, H, W)
    model = classifier_of(toy, H, W)
    together = search(toy, x, mode=mode, queries=900)
    alone = batch_of(x)
    alone.open[:] = [False, False, True]
    stress = get_stress("one_pixel")
    params = stress.check({"mode": mode, "queries": 900})
    (single,) = stress.perturb(model, alone, **params)
    assert single.rows == [2]
    assert torch.equal(single.images[0], together.images[2])
    assert single.found[0] == together.found[2]
    assert single.queries is not None
    assert together.queries is not None
    assert single.queries[0] == together.queries[2]


def test_forwards_stay_within_queries_and_the_planned_cost() -> None:
    x = torch.zeros(3, 1, H, W)
    model = classifier_of(Unmoved(), H, W)
    stress = get_stress("one_pixel")
    for params in ({"queries": 700}, {"population": 10, "generations": 4}, {"queries": 1}):
        full = stress.check(params)
        before = model.forwards
        (altered,) = stress.perturb(model, batch_of(x), **full)
        assert altered.queries == [stress.cost(full)] * 3
        assert 0 < model.forwards - before <= sum(altered.queries)
    su = stress.check({"queries": 10**9})
    assert stress.cost(su) == 400 * 101


class Listening(FooledByPixel):
    """Keeps every image it is asked about."""

    def __init__(self, *given: int) -> None:
        super().__init__(*given)
        self.asked: list[bytes] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked += [image.numpy().tobytes() for image in x]
        return super().forward(x)


@pytest.mark.parametrize("population", [8, 40])
def test_no_image_is_sent_through_the_network_twice_but_repeats_count_as_queries(
    population: int,
) -> None:
    side = 3  # 9 places, three draws in ten cut to black or white: repeats are certain
    toy = Listening(1, 1, side, side)
    toy.weight *= 0.2  # nothing fools it
    stress = get_stress("one_pixel")
    params = stress.check({"population": population, "generations": 1000, "queries": 1000})
    x = torch.full((1, 1, side, side), 0.1)  # not a whole level: every pixel shows
    (altered,) = stress.perturb(classifier_of(toy, side, side), batch_of(x), **params)
    assert altered.queries == [1000]
    assert len(toy.asked) == len(set(toy.asked))
    assert 20 < len(toy.asked) < 900


@pytest.mark.parametrize("mode", MODES)
def test_blocks_and_company_change_the_forward_passes_and_nothing_else(mode: str) -> None:
    x = torch.rand(5, 1, H, W, generator=torch.Generator().manual_seed(3)) / 400
    toy = FooledByPixel(COLUMN, ROW, H, W)
    seen = [
        search(toy, x, mode=mode, block=block, population=12, queries=240) for block in (1, 12, 64)
    ]
    for other in seen[1:]:
        assert torch.equal(other.images, seen[0].images)
        assert other.queries == seen[0].queries
        assert other.found == seen[0].found


def test_no_candidate_is_yielded_when_no_case_is_open() -> None:
    batch = batch_of(torch.zeros(2, 1, H, W))
    batch.open[:] = False
    stress = get_stress("one_pixel")
    assert list(stress.perturb(classifier_of(Unmoved(), H, W), batch, **stress.defaults)) == []


def test_a_logit_that_is_not_finite_is_a_named_failure_and_never_robustness() -> None:
    with pytest.raises(StressFailed, match="not finite"):
        search(NotFinite(), torch.zeros(1, 1, H, W), queries=100)


def test_the_engine_confirms_the_planted_pixel_in_float32_and_at_8_bits() -> None:
    black = np.zeros((H, W), dtype=np.float32)
    cases = [Case(id=str(i), label="fracture", load=lambda: black) for i in range(3)]
    stress = get_stress("one_pixel")
    model = classifier_of(FooledByPixel(COLUMN, ROW, H, W), H, W)
    rows = stressed_rows(
        stress,
        stress.check({"queries": 6000}),
        Sight.alone(model),
        cases,
        [True] * 3,
        seed=0,
        batch_size=2,
        say=lambda _: None,
    )
    assert rows.case.tolist() == [0, 1, 2]
    assert rows.success.tolist() == rows.success_8bit.tolist() == [1, 1, 1]
    assert [(found["x"], found["y"]) for found in rows.found] == [(COLUMN, ROW)] * 3
    assert (rows.queries > 0).all()


class Clinging(torch.nn.Module):
    """Fooled by any bright pixel, but by less than float noise between batch shapes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bright = x.amax((1, 2, 3))
        return torch.stack([torch.zeros_like(bright), 1e-6 - 2e-6 * bright.round()], dim=1)


def test_a_hit_within_float_noise_does_not_end_the_search_but_is_still_handed_over() -> None:
    x = torch.zeros(1, 1, H, W)
    altered = search(Clinging(), x, queries=200)
    assert altered.queries == [200]
    assert decided(classifier_of(Clinging(), H, W), altered.images).tolist() == [0]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"mode": "su"}, 'Did you mean "su2019"'),
        ({"pixels": 0}, "`pixels` to be a whole number from 1"),
        ({"population": 3}, "`population` to be a whole number from 4"),
        ({"queries": 0}, "`queries` to be a whole number from 1"),
        ({"block": 0}, "`block` to be a whole number from 1"),
        ({"generations": 1.5}, "`generations` to be a whole number from 0"),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(params: dict[str, object], expected: str) -> None:
    with pytest.raises(HipauditError, match=expected):
        search(Unmoved(), torch.zeros(1, 1, H, W), **params)

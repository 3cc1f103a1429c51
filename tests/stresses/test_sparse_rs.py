"""Sparse-RS against exhaustive search, the paper's schedule by hand, and planted pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.errors import HipauditError, StressFailed
from audit.stresses.registry import Altered, get_stress
from audit.stresses.sparse_rs import free, moved
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

H, W, COLUMN, ROW = 9, 12, 10, 4


def search(module: torch.nn.Module, x: torch.Tensor, **params: object) -> list[Altered]:
    model = classifier_of(module, *x.shape[-2:], x.shape[1])
    return attack(model, batch_of(x), "sparse_rs", **params)


def test_the_schedule_is_that_of_the_paper() -> None:
    # α0 = 0.3, k = 150, 10,000 queries: 150 · 0.3 / (1, 2, 4, 5, 6, 8, 10, 12, 15, 20), cut
    by_hand = {1: 22, 50: 22, 51: 11, 200: 11, 201: 9, 501: 7, 1001: 5, 2001: 4, 4001: 3}
    by_hand |= {0: 45, 6000: 3, 6001: 3, 8000: 3, 8001: 2, 9999: 2}
    assert {i: moved(i, 10_000, 150, 0.3) for i in by_hand} == by_hand
    # stretched to 1,000 queries every bound comes ten times as early
    assert [moved(i, 1000, 150, 0.3) for i in (5, 6, 20, 21, 50, 51)] == [22, 11, 11, 9, 9, 7]
    assert [moved(1, 1000, k, 0.3) for k in (1, 5, 20)] == [1, 1, 3]
    assert moved(0, 10, 4, 9.0) == 4


def test_free_places_are_every_place_not_taken_each_once() -> None:
    total, taken = 13, np.array([12, 3, 7, 0])
    places = free(np.arange(total - 4), taken, total)
    assert sorted([*places.tolist(), *taken.tolist()]) == list(range(total))
    assert sum(place == rank for rank, place in enumerate(places)) == 6


def exhaustive(model, x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    """Which images some single pixel, black or white, makes decided otherwise; (N,) bool."""
    side, can = x.shape[-1], []
    for image, target in zip(x, y, strict=True):
        every = image.repeat(side * side * 2, 1, 1, 1)
        for i in range(side * side * 2):
            every[i, 0, i // 2 // side, i // 2 % side] = i % 2
        can.append(bool((decided(model, every) != int(target)).any()))
    return np.array(can)


def test_with_one_pixel_it_fools_exactly_what_an_exhaustive_search_fools() -> None:
    side = 16
    net, x, y = balanced_net(10, side, seed=2)
    model = classifier_of(net, side, side)
    can = exhaustive(model, x, y)
    assert 2 < can.sum() < 9
    batch = batch_of(x)
    batch.y = y
    # 512 candidates: one is missed in 4,500 draws with probability e^-8.8
    (altered,) = attack(model, batch, "sparse_rs", pixels=1, queries=4500, block=256)
    assert (~batch.open == can).all()
    assert [said["fooled_in_search"] for said in altered.found] == can.tolist()
    before = model.forwards
    list(get_stress("sparse_rs").perturb(model, batch, pixels=1, queries=4500, block=256))
    # each of the 512 is sent through the network once, though it is drawn a dozen times
    assert model.forwards - before <= 512 * len(x)


@pytest.mark.parametrize("channels", [1, 3])
def test_it_says_which_pixels_it_changed_and_changes_no_others(channels: int) -> None:
    x = 0.25 + torch.rand(3, channels, H, W, generator=torch.Generator().manual_seed(1)) / 2
    for altered, k in zip(search(Unmoved(), x, pixels=(3, 1), queries=9), (1, 3), strict=True):
        assert altered.variant == {"pixels": k}
        for image, original, said in zip(altered.images, x, altered.found, strict=True):
            names = ["value"] if channels == 1 else ["red", "green", "blue"]
            made = original.clone()
            for end in ("", "2", "3")[:k]:
                made[:, said[f"y{end}"], said[f"x{end}"]] = torch.tensor(
                    [float(said[f"{name}{end}"]) for name in names]
                )
            assert torch.equal(image, made)
            assert (image != original).any(0).sum() == k
            assert set(image[image != original].tolist()) <= {0.0, 1.0}


def test_more_pixels_fool_where_fewer_cannot_and_queries_add_up() -> None:
    toy = FooledByPixel(COLUMN, ROW, H, W)
    toy.weight *= 0.7
    one, three = search(toy, torch.zeros(3, 1, H, W), pixels=(1, 3), queries=400)
    assert [said["fooled_in_search"] for said in one.found] == [False] * 3
    assert one.queries == [400] * 3
    assert [said["fooled_in_search"] for said in three.found] == [True] * 3
    assert three.queries is not None
    assert all(400 < spent <= 800 for spent in three.queries)


def test_an_image_fooled_with_one_pixel_is_handed_over_again_within_the_larger_budget() -> None:
    toy = FooledByPixel(COLUMN, ROW, H, W)
    model = classifier_of(toy, H, W)
    one, five = attack(
        model, batch_of(torch.zeros(2, 1, H, W)), "sparse_rs", pixels=(1, 5), queries=4000
    )
    assert [said["fooled_in_search"] for said in one.found] == [True, True]
    assert torch.equal(one.images, five.images)
    assert one.queries == five.queries


def test_blocks_and_company_change_the_forward_passes_and_nothing_else() -> None:
    side = 12
    net, x, y = balanced_net(6, side, seed=3)
    model = classifier_of(net, side, side)
    seen = []
    for block, cuts in ((1, [slice(0, 6)]), (7, [slice(0, 6)]), (64, [slice(0, 2), slice(2, 6)])):
        done: list[tuple[object, ...]] = []
        for cut in cuts:
            batch = batch_of(x)
            batch.x, batch.y, batch.rngs = x[cut], y[cut], batch.rngs[cut]
            batch.open = np.ones(len(batch.x), dtype=bool)
            params = {"pixels": (1, 2), "queries": 150, "block": block, "alpha": 0.3}
            found = list(get_stress("sparse_rs").perturb(model, batch, **params))
            told = [zip(a.images.numpy(), a.found, a.queries, strict=True) for a in found]
            done += [
                tuple((i.tobytes(), tuple(f.items()), q) for i, f, q in levels)
                for levels in zip(*told, strict=True)
            ]
        seen.append(done)
    assert seen[0] == seen[1] == seen[2]


def test_forwards_stay_within_the_planned_cost() -> None:
    model = classifier_of(Unmoved(), H, W)
    stress = get_stress("sparse_rs")
    params = stress.check({"pixels": (1, 4), "queries": 40})
    before = model.forwards
    list(stress.perturb(model, batch_of(torch.zeros(3, 1, H, W)), **params))
    assert stress.cost(params) == 80
    assert 3 * 40 < model.forwards - before <= 3 * 80


def test_a_logit_that_is_not_finite_is_a_named_failure() -> None:
    with pytest.raises(StressFailed, match=r"sparse_rs: .* not finite"):
        search(NotFinite(), torch.zeros(1, 1, H, W), queries=50)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"pixels": ()}, "at least one number"),
        ({"pixels": (1, 0)}, "`pixels` to be a whole number from 1"),
        ({"pixels": H * W}, "fewer pixels than the image has"),
        ({"queries": 0}, "`queries` to be a whole number from 1"),
        ({"alpha": 0.0}, "`alpha` to be a number above 0"),
        ({"block": 0}, "`block` to be a whole number from 1"),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(params: dict[str, object], expected: str) -> None:
    with pytest.raises(HipauditError, match=expected):
        search(Unmoved(), torch.zeros(1, 1, H, W), **params)

"""The rotation–translation attack and its map against planted classifiers, SciPy and foolbox."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from audit.attempt import Sight, stressed_rows
from audit.cases.case import Case
from audit.errors import HipauditError
from audit.stresses.registry import get_stress
from tests.toys import (
    FooledByRotation,
    FooledByShift,
    Unmoved,
    attack,
    balanced_net,
    batch_of,
    centred_dot,
    classifier_of,
    decided,
    side_dot,
)

H, W = 20, 40  # a tenth is 2 rows but 4 columns: mixing up the axes fails
REACH = {"right": 4, "left": 4, "down": 2, "up": 2}
SIGNS = {"right": ("dx", 1), "left": ("dx", -1), "down": ("dy", 1), "up": ("dy", -1)}


def fooled_rows(module: torch.nn.Module, **params: object) -> list[int]:
    batch = batch_of(centred_dot(3, H, W))
    attack(classifier_of(module, H, W), batch, "rotation_translation", **params)
    return np.flatnonzero(~batch.open).tolist()


@pytest.mark.parametrize("angles", [1, 31])
@pytest.mark.parametrize("direction", REACH)
def test_the_grid_fools_a_model_that_breaks_at_the_furthest_shift(
    direction: str, angles: int
) -> None:
    toy = FooledByShift(direction, REACH[direction])
    assert fooled_rows(toy, mode="grid", angles=angles) == [0, 1, 2]


@pytest.mark.parametrize("angles", [1, 31])
@pytest.mark.parametrize("direction", REACH)
def test_the_grid_does_not_fool_a_model_that_breaks_one_pixel_further(
    direction: str, angles: int
) -> None:
    toy = FooledByShift(direction, REACH[direction] + 1)
    assert fooled_rows(toy, mode="grid", angles=angles) == []


@pytest.mark.parametrize("direction", REACH)
def test_the_cell_that_fools_names_the_direction_planted(direction: str) -> None:
    axis, sign = SIGNS[direction]
    model = classifier_of(FooledByShift(direction, REACH[direction]), H, W)
    batch = batch_of(centred_dot(1, H, W))
    last = attack(model, batch, "rotation_translation", mode="grid", angles=1)[-1]
    assert decided(model, last.images).tolist() == [0]
    assert last.variants[0][axis] == pytest.approx(0.1 * sign)
    assert last.found[0][axis] == pytest.approx(0.1 * sign)


@pytest.mark.parametrize(("degrees", "fooled"), [(30, 2), (-30, 2), (31, 0), (-31, 0)])
def test_the_grid_finds_a_planted_angle_of_either_sign_and_none_beyond(
    degrees: float, fooled: int
) -> None:
    batch = batch_of(side_dot(2, 32, 32, radius=10))
    model = classifier_of(FooledByRotation(degrees), 32, 32)
    attack(model, batch, "rotation_translation", mode="grid", shifts=1)
    assert int((~batch.open).sum()) == fooled


def test_the_map_is_wrong_in_exactly_the_cells_planted() -> None:
    model = classifier_of(FooledByShift("right", 3), H, W)
    batch = batch_of(centred_dot(2, H, W))
    cells = attack(model, batch, "rotation_translation_map")
    assert len(cells) == 7 * 3 * 3
    for cell in cells:
        right = decided(model, cell.images) == 1
        assert right.tolist() == [cell.variant["dx"] != 0.1] * 2


def test_the_map_drops_nothing_even_when_every_case_is_fooled() -> None:
    batch = batch_of(centred_dot(2, H, W))
    batch.open[:] = False
    stress = get_stress("rotation_translation_map")
    cells = list(stress.perturb(classifier_of(Unmoved(), H, W), batch, **stress.defaults))
    assert [len(cell.images) for cell in cells] == [2] * 63


@pytest.mark.parametrize("name", ["rotation_translation", "rotation_translation_map"])
def test_the_full_grid_has_775_distinct_cells_of_31_angles_and_5_by_5_shifts(name: str) -> None:
    mode = {"mode": "grid"} if name == "rotation_translation" else {}
    stress = get_stress(name)
    params = stress.check({**mode, "angles": 31, "shifts": 5})
    batch = batch_of(centred_dot(1, H, W))
    found = list(stress.perturb(classifier_of(Unmoved(), H, W), batch, **params))
    cells = {tuple((cell.variants or [cell.variant])[0].values()) for cell in found}
    assert len(found) == len(cells) == 775 == stress.cost(params)
    assert {angle for angle, _, _ in cells} == set(range(-30, 31, 2))
    assert {dx for _, dx, _ in cells} == {-0.1, -0.05, 0.0, 0.05, 0.1}


def noise_images(n: int) -> torch.Tensor:
    return torch.rand(n, 1, H, W, generator=torch.Generator().manual_seed(0))


def by_scipy(image: torch.Tensor, angle: float, dx: float, dy: float) -> np.ndarray:
    """Rotated with a rim wide enough to lose nothing, then shifted by whole pixels."""
    wide = np.pad(image.numpy().astype(np.float64), 16)
    turned = ndimage.rotate(wide, angle, reshape=False, order=1, mode="grid-constant")
    moved = ndimage.shift(turned, (round(dy * H), round(dx * W)), order=0, mode="grid-constant")
    return np.asarray(moved[16:-16, 16:-16])


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("rotation_translation", {"mode": "worst_of_k", "k": 6}),
        ("rotation_translation", {"mode": "grid", "angles": 3, "shifts": 3}),
        ("rotation_translation_map", {"angles": 3, "shifts": 3}),
    ],
)
def test_every_candidate_is_what_scipy_makes_of_the_transform_it_reports(
    name: str, params: dict[str, object]
) -> None:
    batch = batch_of(noise_images(2))
    for altered in attack(classifier_of(Unmoved(), H, W), batch, name, **params):
        for place, (image, said) in enumerate(zip(altered.images, altered.found, strict=True)):
            theirs = by_scipy(batch.x[place, 0], said["angle"], said["dx"], said["dy"])
            np.testing.assert_allclose(image[0].numpy(), theirs, atol=1e-5)


def test_worst_of_k_gives_each_case_its_own_uniform_transforms_within_the_limits() -> None:
    batch = batch_of(noise_images(3))
    draws = attack(classifier_of(Unmoved(), H, W), batch, "rotation_translation", k=200)
    said = [found for draw in draws for found in draw.found]
    assert len({found["angle"] for found in said}) == 600
    for name, limit, steps in [("angle", 30.0, None), ("dx", 0.1, 9), ("dy", 0.1, 5)]:
        values = np.array([found[name] for found in said])
        assert np.abs(values).max() <= limit
        assert np.abs(values).max() > 0.95 * limit
        # Of a uniform on ±limit (or on its whole pixels), 600 draws: five standard errors.
        spread = (
            limit / np.sqrt(3) if steps is None else limit * np.sqrt((steps + 1) / (steps - 1) / 3)
        )
        assert abs(values.mean()) < 5 * spread / np.sqrt(600)
        assert values.std() == pytest.approx(spread, rel=0.1)


def test_fewer_draws_are_the_first_of_more_draws() -> None:
    model = classifier_of(Unmoved(), H, W)
    few = attack(model, batch_of(noise_images(2)), "rotation_translation", k=3)
    many = attack(model, batch_of(noise_images(2)), "rotation_translation", k=8)
    assert [a.found for a in few] == [a.found for a in many[:3]]


@pytest.mark.parametrize("mode", ["worst_of_k", "grid"])
def test_a_case_is_altered_alike_alone_and_in_a_batch_where_others_fall(mode: str) -> None:
    x = noise_images(4)
    params = {"mode": mode, "k": 5, "angles": 3, "shifts": 3}
    together = batch_of(x)
    seen: list[torch.Tensor] = []
    stress = get_stress("rotation_translation")
    for step, altered in enumerate(
        stress.perturb(classifier_of(Unmoved(), H, W), together, **stress.check(params))
    ):
        rows: Sequence[int] = altered.rows or []
        seen.append(altered.images[rows.index(2)])
        together.open[3 if step == 0 else 0] = False
    alone = batch_of(x)
    alone.x, alone.y, alone.rngs = alone.x[2:3], alone.y[2:3], alone.rngs[2:3]
    alone.open = alone.open[:1]
    single = attack(classifier_of(Unmoved(), H, W), alone, "rotation_translation", **params)
    assert len(single) == len(seen)
    for one, other in zip(single, seen, strict=True):
        assert torch.equal(one.images[0], other)


@pytest.mark.parametrize("mode", ["worst_of_k", "grid"])
def test_cases_that_are_closed_get_no_candidates(mode: str) -> None:
    batch = batch_of(noise_images(3))
    batch.open[:] = [True, False, False]
    stress = get_stress("rotation_translation")
    params = stress.check({"mode": mode, "angles": 3, "shifts": 3})
    candidates = list(stress.perturb(classifier_of(Unmoved(), H, W), batch, **params))
    assert len(candidates) == {"worst_of_k": 10, "grid": 27}[mode]
    assert all(candidate.rows == [0] for candidate in candidates)
    assert all(len(candidate.images) == 1 for candidate in candidates)


def test_the_search_stops_as_soon_as_no_case_is_open() -> None:
    model = classifier_of(FooledByShift("left", 1), H, W)
    batch = batch_of(centred_dot(2, H, W))
    found = attack(model, batch, "rotation_translation", mode="grid", angles=1)
    assert len(found) < 25
    assert not batch.open.any()


@pytest.mark.parametrize("mode", ["worst_of_k", "grid"])
def test_through_the_engine_exactly_the_cases_that_can_be_fooled_are(mode: str) -> None:
    # Dots already shifted by 0, 1 … 3 columns: 4 more reach the limit of 6 from 2 on.
    dots = [torch.roll(centred_dot(1, H, W)[0, 0], start, dims=1).numpy() for start in range(4)]
    cases = [
        Case(id=str(i), label="fracture", load=lambda dot=dot: dot) for i, dot in enumerate(dots)
    ]
    stress = get_stress("rotation_translation")
    model = classifier_of(FooledByShift("right", 6), H, W)
    params = stress.check({"mode": mode, "angles": 1, "k": 60, "max_angle": 0.0})
    rows = stressed_rows(
        stress,
        params,
        Sight.alone(model),
        cases,
        [True] * 4,
        seed=0,
        batch_size=3,
        say=lambda _: None,
    )
    for flags in (rows.success, rows.success_8bit):
        fooled = sorted(set(rows.case[flags == 1].tolist()))
        assert fooled == [2, 3]
    assert int((rows.success == 1).sum()) == 2  # nobody is attacked again once fooled


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"mode": "gird"}, 'Did you mean "grid"'),
        ({"k": 0}, "`k` to be a whole number from 1"),
        ({"k": "10"}, "`k` of rotation_translation"),
        ({"mode": "grid", "angles": "31"}, "`angles` of rotation_translation"),
        ({"max_shift": "0.1"}, "`max_shift` of rotation_translation"),
        ({"max_angle": float("nan")}, "`max_angle` of rotation_translation"),
        ({"mode": "grid", "angles": 0}, "one or more finite angles"),
        ({"mode": "grid", "shifts": [float("nan")]}, "`shifts` of rotation_translation"),
        ({"mode": "grid", "shifts": [1.5]}, "shifts within"),
        ({"max_shift": 1.0}, "max_shift from 0"),
        ({"max_angle": -1}, "max_angle from 0"),
        ({"fill": "white"}, "a fill"),
    ],
)
def test_a_wrong_parameter_is_refused_in_one_line(params: dict[str, object], expected: str) -> None:
    with pytest.raises(HipauditError, match=expected):
        fooled_rows(Unmoved(), **params)


@pytest.mark.filterwarnings("ignore:torch.meshgrid:UserWarning")
@pytest.mark.parametrize("part", ["rotations", "translations"])
def test_fooled_cases_are_those_of_foolbox_spatial_attack(part: str) -> None:
    # Rotations and translations apart: foolbox shifts along the turned axes, Engstrom and we
    # along those of the image; and foolbox's pixel is (size - 1) / size of one of ours.
    foolbox = pytest.importorskip("foolbox")
    side, n = 30, 40
    net, x, y = balanced_net(n, side)
    turns, shifts, far = (7, 1, 0.0) if part == "rotations" else (1, 3, 3 * side / (side - 1))
    theirs = foolbox.attacks.SpatialAttack(
        max_translation=far,
        num_translations=shifts,
        max_rotation=0 if turns == 1 else 30,
        num_rotations=turns,
    )
    _, _, success = theirs(foolbox.PyTorchModel(net, bounds=(0, 1)), x, y)
    batch = batch_of(x)
    batch.y = y
    params = {"mode": "grid", "angles": turns, "shifts": shifts}
    attack(classifier_of(net, side, side), batch, "rotation_translation", **params)
    fooled = ~batch.open
    assert 4 < fooled.sum() < n - 4
    # At the boundary the two differ by the rounding of an interpolation.
    clear = least_margins(net, x, y, turns, shifts).abs().numpy() > 1e-4
    assert clear.sum() > n / 2
    np.testing.assert_array_equal(fooled[clear], success.numpy()[clear])


def least_margins(net: nn.Module, x: torch.Tensor, y: torch.Tensor, turns: int, shifts: int):
    """(N,) the smallest margin of the true class over every cell; negative where one fools."""
    model, batch = classifier_of(net, *x.shape[-2:]), batch_of(x)
    cells = get_stress("rotation_translation_map").perturb(
        model, batch, angles=turns, shifts=shifts
    )
    sign = 2 * y - 1
    with torch.no_grad():
        margins = [sign * (z[:, 1] - z[:, 0]) for z in (net(c.images) for c in cells)]
    return torch.stack(margins).amin(0)

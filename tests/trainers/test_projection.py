"""Projection against textbook chord lengths and a marched ray."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainers.phantom.anatomy import turned
from trainers.phantom.projection import (
    HalfSpace,
    beam,
    beer_lambert,
    cut,
    ellipsoid,
    intervals,
    rod,
    union_length,
    within,
)

X = torch.linspace(-60, 60, 41)
DOWN = torch.tensor([0.0, 0.0, -1.0])
ORIGIN = torch.zeros(3)


def fan(direction: torch.Tensor = DOWN):
    return beam(torch.stack([X, torch.full_like(X, 3.0), torch.zeros_like(X)], 1), direction)


def sphere(radius: float):
    return ellipsoid(ORIGIN, (radius,) * 3, torch.eye(3))


def marched(solids, rays, keep=lambda p: torch.ones(p.shape[:-1], dtype=torch.bool)):
    """Union length by stepping along every ray in 0.02 mm steps: slow and obvious."""
    t = torch.arange(-200, 200, 0.02)
    p = rays.points[:3].T + t[:, None, None] * rays.direction
    inside = torch.zeros(p.shape[:-1], dtype=torch.bool)
    for solid in solids:
        x, y, z = ((p - solid.centre) @ solid.frame.T).unbind(-1)
        radius = solid.r0 + solid.r1 * z
        flank = x**2 + y**2 + solid.e * z**2 <= radius**2
        inside |= flank & (z >= solid.low) & (z <= solid.high)
    return 0.02 * (inside & keep(p)).sum(0)


def test_a_chord_through_a_sphere_is_twice_the_root_of_r2_minus_d2():
    found = union_length(intervals([sphere(30)], fan()))
    expected = 2 * (30**2 - (X**2 + 3**2)).clamp(min=0).sqrt()
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=0)


def test_a_chord_across_a_cylinder_is_a_circle_and_along_it_its_length():
    upright = rod(torch.tensor([0.0, -50, 0]), torch.tensor([0.0, 50, 0]), 20, 20)
    across = union_length(intervals([upright], fan()))
    torch.testing.assert_close(across, 2 * (20**2 - X**2).clamp(min=0).sqrt(), atol=5e-3, rtol=0)
    end_on = rod(torch.tensor([0.0, 0, -35]), torch.tensor([0.0, 0, 35]), 20, 20)
    along = union_length(intervals([end_on], fan()))
    expected = torch.where(X**2 + 9 < 400, 70.0, 0.0)
    torch.testing.assert_close(along, expected, atol=5e-3, rtol=0)


def test_a_slanted_ray_through_a_cylinder_is_longer_by_one_over_the_sine():
    long = rod(torch.tensor([0.0, -500, 0]), torch.tensor([0.0, 500, 0]), 20, 20)
    slanted = beam(torch.zeros(1, 3), torch.tensor([0.0, 1.0, -2.0]))
    sine = 2 / math.sqrt(5)
    assert float(union_length(intervals([long], slanted))) == pytest.approx(40 / sine, abs=1e-2)


@pytest.mark.parametrize("direction", [(0.0, 0.0, -1.0), (0.3, 0.2, -1.0), (0.1, 1.0, 0.3)])
def test_unions_of_overlapping_quadrics_count_each_millimetre_once(direction):
    rays = fan(torch.tensor(direction))
    solids = [
        ellipsoid(torch.tensor([5.0, 0, 0]), (30.0, 20, 10), turned((1, 1, 0), 30)),
        rod(torch.tensor([0.0, -50, 0]), torch.tensor([0.0, 50, 0]), 20, 14, 0.7),
        rod(torch.tensor([0.0, 0, -50]), torch.tensor([0.0, 0, 50]), 10, 40),
        rod(torch.tensor([0.0, 0, -50]), torch.tensor([9.0, 0, 50]), 40, 10),
        rod(torch.tensor([0.0, 0, -4]), torch.tensor([4.0, 0, 4]), 45, 8),
    ]
    spans = intervals(solids, rays)
    torch.testing.assert_close(union_length(spans), marched(solids, rays), atol=0.1, rtol=0)
    side = HalfSpace(torch.tensor([0.6, 0.0, 0.8]), 5.0)
    half = union_length(cut(spans, rays, side))
    expected = marched(solids, rays, lambda p: p @ side.normal <= side.offset)
    torch.testing.assert_close(half, expected, atol=0.1, rtol=0)


def test_the_two_sides_of_a_cut_add_up_to_the_whole():
    rays, solids = fan(), [sphere(30), sphere(22)]
    normal = torch.tensor([0.0, 0.6, 0.8])
    spans = intervals(solids, rays)
    sides = [HalfSpace(normal, 4.0), HalfSpace(-normal, -4.0)]
    parts = [union_length(cut(spans, rays, side)) for side in sides]
    torch.testing.assert_close(sum(parts), union_length(spans), atol=1e-3, rtol=0)


def test_a_hollow_sphere_has_the_wall_of_two_shells():
    rays = fan()
    spans, hole = intervals([sphere(30)], rays), intervals([sphere(20)], rays)
    wall = union_length(spans) - union_length(within(spans, hole))
    middle = int(X.abs().argmin())
    expected = 2 * (math.sqrt(900 - 9) - math.sqrt(400 - 9))
    assert float(wall[middle]) == pytest.approx(expected, abs=1e-2)


def test_photons_fall_by_half_for_every_half_value_layer():
    mu = 0.02
    layers = torch.tensor([0.0, 1.0, 2.0, 5.0]) * math.log(2) / mu
    np.testing.assert_allclose(
        beer_lambert(mu * layers, 800.0).numpy(), [800, 400, 200, 25], rtol=1e-5
    )

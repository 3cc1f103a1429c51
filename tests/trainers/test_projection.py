"""Projection by a cone beam against textbook chord lengths and a marched ray."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainers.phantom.anatomy import turned
from trainers.phantom.projection import (
    HalfSpace,
    beer_lambert,
    cone,
    cut,
    ellipsoid,
    intervals,
    rod,
    union_length,
    within,
)

ORIGIN = torch.zeros(3)
SOURCE = 300.0  # mm: a wide cone, so that its rays are far from parallel
U = torch.linspace(-60, 60, 41)


def fan(turn: torch.Tensor | None = None, source: float = SOURCE, v: float = 3.0):
    """Rays from (0, 0, source), turned, through a row of the plane z = 0."""
    axes = torch.eye(3) if turn is None else turn
    return cone(axes, ORIGIN, source, torch.stack([U, torch.full_like(U, v)]))


def lines(rays):
    """(P, 3) points and (P, 3) unit directions of the rays, from their source alone."""
    points = (rays.points @ rays.grid).T
    directions = points - rays.source
    return points, directions / directions.norm(dim=1, keepdim=True)


def length(solids, rays):
    return union_length(intervals(solids, rays), rays)


def sphere(radius: float, centre: torch.Tensor = ORIGIN):
    return ellipsoid(centre, (radius,) * 3, torch.eye(3))


def marched(solids, rays, keep=lambda p: torch.ones(p.shape[:-1], dtype=torch.bool)):
    """Union length by stepping along every ray in 0.02 mm steps: slow and obvious."""
    points, directions = lines(rays)
    s = torch.arange(-200, 200, 0.02)
    p = points + s[:, None, None] * directions
    inside = torch.zeros(p.shape[:-1], dtype=torch.bool)
    for solid in solids:
        x, y, z = ((p - solid.centre) @ solid.frame.T).unbind(-1)
        radius = solid.r0 + solid.r1 * z
        flank = x**2 + y**2 + solid.e * z**2 <= radius**2
        inside |= flank & (z >= solid.low) & (z <= solid.high)
    return 0.02 * (inside & keep(p)).sum(0)


def test_every_ray_comes_from_the_one_source():
    turn = turned((1.0, 2.0, 0.0), 40)
    rays = fan(turn)
    torch.testing.assert_close(rays.source, SOURCE * turn[2], atol=1e-3, rtol=0)
    points, directions = lines(rays)
    steps = (rays.steps @ rays.grid).T
    torch.testing.assert_close(steps / steps.norm(dim=1, keepdim=True), directions)
    torch.testing.assert_close(steps.norm(dim=1), rays.stretch)
    torch.testing.assert_close((points @ turn.T)[:, 0], U, atol=1e-3, rtol=0)


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (12.0, -7.0, 40.0), (-20.0, 5.0, -60.0)])
def test_a_chord_through_a_sphere_is_twice_the_root_of_r2_minus_the_rays_distance_squared(centre):
    rays, middle = fan(), torch.tensor(centre)
    points, directions = lines(rays)
    away = torch.linalg.cross(middle - points, directions).norm(dim=1)
    expected = 2 * (30**2 - away**2).clamp(min=0).sqrt()
    torch.testing.assert_close(length([sphere(30, middle)], rays), expected, atol=1e-2, rtol=0)


def test_a_cone_beam_makes_a_near_sphere_larger_by_source_over_source_minus_its_height():
    half = {}
    for height in (0.0, 100.0):
        uv = torch.stack([torch.linspace(0, 60, 6001), torch.zeros(6001)])
        rays = cone(torch.eye(3), ORIGIN, 1000.0, uv)
        shadow = length([sphere(20, torch.tensor([0.0, 0.0, height]))], rays) > 0
        half[height] = float(uv[0][shadow].max())
    # A tangent cone to a sphere at distance d: half the shadow is SID · r / √(d² - r²).
    for height, found in half.items():
        assert found == pytest.approx(
            1000 * 20 / math.sqrt((1000 - height) ** 2 - 20**2), abs=0.011
        )


def test_a_chord_across_a_cylinder_is_that_of_a_circle_stretched_by_the_rays_slant():
    upright = rod(torch.tensor([0.0, -90, 0]), torch.tensor([0.0, 90, 0]), 20, 20)
    rays = fan(v=25.0)
    away = SOURCE * U.abs() / (SOURCE**2 + U**2).sqrt()  # in the plane across the cylinder
    flat = 2 * (400 - away**2).clamp(min=0).sqrt()
    _, directions = lines(rays)
    expected = flat / (1 - directions[:, 1] ** 2).sqrt()
    torch.testing.assert_close(length([upright], rays), expected, atol=1e-2, rtol=0)


def test_along_a_cylinder_end_on_a_ray_travels_its_length():
    end_on = rod(torch.tensor([0.0, 0, -35]), torch.tensor([0.0, 0, 35]), 20, 20)
    rays = cone(torch.eye(3), ORIGIN, 1e4, torch.stack([U, torch.full_like(U, 3.0)]))
    found = length([end_on], rays)
    inside, outside = U**2 + 9 < 19.5**2, U**2 + 9 > 20.5**2
    torch.testing.assert_close(found[inside], 70.0 * rays.stretch[inside], atol=0.02, rtol=0)
    assert float(found[outside].max()) == 0


@pytest.mark.parametrize(
    ("axis", "degrees"), [((0.0, 0.0, 1.0), 0), ((1.0, 0.0, 0.0), 25), ((1.0, 1.0, 0.0), 80)]
)
def test_unions_of_overlapping_quadrics_count_each_millimetre_once(axis, degrees):
    rays = fan(turned(axis, degrees))
    solids = [
        ellipsoid(torch.tensor([5.0, 0, 0]), (30.0, 20, 10), turned((1, 1, 0), 30)),
        rod(torch.tensor([0.0, -50, 0]), torch.tensor([0.0, 50, 0]), 20, 14, 0.7),
        rod(torch.tensor([0.0, 0, -50]), torch.tensor([0.0, 0, 50]), 10, 40),
        rod(torch.tensor([0.0, 0, -50]), torch.tensor([9.0, 0, 50]), 40, 10),
        rod(torch.tensor([0.0, 0, -4]), torch.tensor([4.0, 0, 4]), 45, 8),
    ]
    torch.testing.assert_close(length(solids, rays), marched(solids, rays), atol=0.12, rtol=0)
    spans = intervals(solids, rays)
    side = HalfSpace(torch.tensor([0.6, 0.0, 0.8]), 5.0)
    half = union_length(cut(spans, rays, side), rays)
    expected = marched(solids, rays, lambda p: p @ side.normal <= side.offset)
    torch.testing.assert_close(half, expected, atol=0.12, rtol=0)


def test_the_two_sides_of_a_cut_add_up_to_the_whole():
    rays, solids = fan(), [sphere(30), sphere(22)]
    normal = torch.tensor([0.0, 0.6, 0.8])
    spans = intervals(solids, rays)
    sides = [HalfSpace(normal, 4.0), HalfSpace(-normal, -4.0)]
    parts = [union_length(cut(spans, rays, side), rays) for side in sides]
    torch.testing.assert_close(sum(parts), length(solids, rays), atol=1e-3, rtol=0)


def test_a_hollow_sphere_has_the_wall_of_two_shells():
    rays = fan(v=0.0)
    spans, hole = intervals([sphere(30)], rays), intervals([sphere(20)], rays)
    wall = union_length(spans, rays) - union_length(within(spans, hole), rays)
    assert float(wall[int(U.abs().argmin())]) == pytest.approx(20.0, abs=1e-2)


def test_the_corners_of_a_solid_hold_all_of_it():
    turn = turned((1.0, 1.0, 0.3), 50)
    solid = ellipsoid(torch.tensor([5.0, 6, 7]), (10.0, 20, 30), turn)
    extent = (turn**2 @ torch.tensor([100.0, 400, 900])).sqrt()  # of a turned ellipsoid
    corners = solid.corners()
    assert (corners.amax(0) >= solid.centre + extent - 1e-3).all()
    assert (corners.amin(0) <= solid.centre - extent + 1e-3).all()


def test_photons_fall_by_half_for_every_half_value_layer():
    mu = 0.02
    layers = torch.tensor([0.0, 1.0, 2.0, 5.0]) * math.log(2) / mu
    np.testing.assert_allclose(
        beer_lambert(mu * layers, 800.0).numpy(), [800, 400, 200, 25], rtol=1e-5
    )

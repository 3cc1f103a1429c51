"""Overlaid metal against Beer–Lambert by hand, PIL's polygons and areas in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import stats

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.implants import SHAPES, Placement, rods, shadow, unit_area
from audit.stresses.metal import implanted
from tests.stresses.native import in_colour, levels_of

DEPTH, THICK = 4.0, 50.0  # with this optical thickness all but the very rim is opaque
CENTRE = (0.5, 0.5)
every_shape = pytest.mark.parametrize("shape", sorted(SHAPES))


def by_pil(placed: np.ndarray, height: int, width: int, finer: int = 8) -> np.ndarray:
    """Which part of each pixel rods cover: trapezia and discs drawn finely, then averaged."""
    image = Image.new("L", (width * finer, height * finer), 0)
    draw = ImageDraw.Draw(image)
    for ax, ay, ar, bx, by, br in placed * finer:
        for x, y, r in ((ax, ay, ar), (bx, by, br)):
            draw.ellipse([x - r, y - r, x + r, y + r], fill=255)
        length = np.hypot(bx - ax, by - ay)
        if length:
            across = np.array([-(by - ay), bx - ax]) / length
            a, b = np.array([ax, ay]), np.array([bx, by])
            corners = [a + across * ar, b + across * br, b - across * br, a - across * ar]
            draw.polygon([tuple(corner) for corner in corners], fill=255)
    return np.asarray(image.reduce(finer), np.float64) / 255


def covered(image: np.ndarray) -> np.ndarray:
    """Part of a black image's pixel that opaque metal takes away, back from what is displayed."""
    return 1 - np.exp(-DEPTH * image.astype(np.float64))


@every_shape
@pytest.mark.parametrize("turn", [0.0, 0.7, 2.9])
def test_the_silhouette_is_the_one_that_pil_draws(shape, turn) -> None:
    placed = rods(Placement(shape, turn, False, CENTRE), 12.0, 160, 150)
    density = np.zeros((160, 150))
    for rod in placed:
        places, found = shadow(rod, 160, 150, THICK)
        density[places] = np.maximum(density[places], found)
    difference = np.abs((1 - np.exp(-density)) - by_pil(placed, 160, 150))
    assert difference.mean() < 0.003
    assert np.mean(difference > 0.25) < 0.003  # pixels where two edges meet


@every_shape
@pytest.mark.parametrize("area", [0.01, 0.08])
@pytest.mark.parametrize("size", [(300, 260), (180, 200)])
def test_the_shadow_covers_the_part_of_the_image_asked_for(shape, area, size) -> None:
    image = np.zeros(size, np.float32)
    placement = Placement(shape, 0.3, True, CENTRE)
    share = covered(implanted(image, area, placement, THICK, DEPTH * 100) * 100).mean()
    assert share == pytest.approx(area, rel=0.01)


def test_the_area_of_a_screw_is_that_of_its_trapezia_and_half_discs() -> None:
    def solid(length: float, a: float, b: float) -> float:
        return length * (a + b) + np.pi / 2 * (a**2 + b**2)

    head, shaft = solid(0.5, 0.75, 0.75), solid(6.5, 0.4, 0.25)
    # the shaft's beginning lies within the head: up to where the head's lower disc ends
    grid = np.mgrid[-1:1:0.005, -1:2:0.005]
    x, y = grid[0], grid[1]
    in_head = np.hypot(x, y - np.clip(y, 0, 0.5)) <= 0.75
    radius = 0.4 - 0.15 * np.clip((y - 0.5) / 6.5, 0, 1)
    in_shaft = np.hypot(x, np.minimum(y - 0.5, 0)) <= radius
    shared = float((in_head & in_shaft).sum()) * 0.005**2
    assert unit_area("screw") == pytest.approx(head + shaft - shared, rel=0.005)


def test_across_a_nail_rays_lose_by_beer_and_lambert_what_the_chord_says() -> None:
    rod = np.array([100.0, -50.0, 30.0, 100.0, 250.0, 30.0])
    (rows, columns), density = shadow(rod, 200, 200, 3.0)
    middle = density[rows == 100][np.argsort(columns[rows == 100])]
    at = np.sort(columns[rows == 100]) + 0.5 - 100
    within = np.abs(at) < 28.0
    chord = 2 * np.sqrt(30.0**2 - at[within] ** 2)
    assert middle[within] == pytest.approx(3.0 * chord / 60.0, rel=1e-3)
    assert np.all(middle[np.abs(at) > 31] == 0)


def test_metal_adds_to_what_is_displayed_and_multiplies_the_intensity() -> None:
    placement = Placement("prosthesis", 0.0, False, CENTRE)
    dark, bright = (np.full((200, 200), v, np.float32) for v in (0.1, 0.3))
    a = implanted(dark, 0.05, placement, 2.0, DEPTH).astype(np.float64)
    b = implanted(bright, 0.05, placement, 2.0, DEPTH).astype(np.float64)
    ratio = np.exp(-DEPTH * a) / np.exp(-DEPTH * 0.1)
    assert ratio.min() == pytest.approx(np.exp(-2.0), rel=1e-3)
    assert np.allclose(ratio, np.exp(-DEPTH * b) / np.exp(-DEPTH * 0.3), atol=1e-5)


def test_white_stays_white_and_what_is_not_covered_is_the_image_itself() -> None:
    image = generator(1, "x").random((90, 70), dtype=np.float32)
    placement = Placement("plate", 1.0, False, CENTRE)
    found = implanted(image, 0.05, placement, 6.0, DEPTH)
    outside = by_pil(rods(placement, np.sqrt(0.05 * 6300 / unit_area("plate")), 90, 70), 90, 70)
    far = np.asarray(Image.fromarray((outside > 0).astype(np.uint8)).resize((70, 90))) == 0
    far &= np.roll(far, 1, 0) & np.roll(far, -1, 0) & np.roll(far, 1, 1) & np.roll(far, -1, 1)
    assert far.mean() > 0.7
    assert np.array_equal(found[far], image[far])
    assert np.all(found >= image)
    assert np.all(implanted(np.ones_like(image), 0.05, placement, 6.0, DEPTH) == 1)


@every_shape
def test_an_implant_lies_wholly_within_the_image_wherever_it_is_drawn(shape) -> None:
    for i in range(40):
        rng = generator(2, str(i))
        turn = float(rng.uniform(0, 2 * np.pi))
        placement = Placement(shape, turn, bool(i % 2), tuple(rng.random(2)))
        placed = rods(placement, np.sqrt(0.02 * 200 * 160 / unit_area(shape)), 200, 160)
        reach = placed[:, [2, 5]]
        for at, length in ((0, 160), (1, 200)):
            assert (placed[:, [at, at + 3]] - reach).min() >= -1e-9
            assert (placed[:, [at, at + 3]] + reach).max() <= length + 1e-9


def test_shape_and_place_are_drawn_per_case_and_kept_at_every_severity() -> None:
    images = [np.zeros((60, 60), np.float32)] * 200
    mild, gross = (found for _, found in levels_of("metal", images, areas=(0.02, 0.04)))
    assert len({image.tobytes() for image in mild}) == 200
    # the same shape at the same place, twice the area: most of the milder lies in the grosser
    shared = [np.mean(b[a > 0.2] > 0.2) for a, b in zip(mild, gross, strict=True)]
    assert np.median(shared) > 0.5
    heavy = [np.argwhere(image > 0.2).mean(axis=0) for image in mild]
    side = [(down > 30, right > 30) for down, right in heavy]
    counts = [side.count((a, b)) for a in (False, True) for b in (False, True)]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_one_shape_can_be_asked_for_and_any_means_all_of_them() -> None:
    image = np.zeros((60, 60), np.float32)
    alone = levels_of("metal", [image], shape="nail", areas=0.02)[0][1][0]
    rng = generator(1, "case 0", "metal")  # the draws in their order
    rng.integers(1)
    turn, mirrored = float(rng.uniform(0, 2 * np.pi)), bool(rng.integers(2))
    placement = Placement("nail", turn, mirrored, tuple(rng.random(2)))
    assert np.array_equal(alone, implanted(image, 0.02, placement, 6.0, 4.0))
    shares = [
        np.mean(found > 0.2) / np.ptp(np.argwhere(found > 0.2), axis=0).max() ** 2
        for found in levels_of("metal", [image] * 60, areas=0.05)[0][1]
    ]
    assert np.ptp(shares) > 0.5 * np.mean(shares)  # slim ones and stout ones


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(3, "x").random((60, 50), dtype=np.float32)
    placement = Placement("nail", 0.5, False, CENTRE)
    found = implanted(in_colour(grey), 0.03, placement, 6.0, DEPTH)
    assert np.array_equal(found, in_colour(implanted(grey, 0.03, placement, 6.0, DEPTH)))


@pytest.mark.parametrize(
    "params",
    [
        {"areas": (0.5,)},
        {"shape": "crown"},
        {"shape": ("nail",)},
        {"attenuation": 0.0},
        {"depth": -1.0},
    ],
)
def test_what_is_no_implant_is_refused(params) -> None:
    with pytest.raises(HipauditError, match=next(iter(params))):
        levels_of("metal", [np.ones((4, 4), np.float32)], **params)

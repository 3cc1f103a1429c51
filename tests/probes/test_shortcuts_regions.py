"""Regions: what the marker rule finds on phantoms, how masks are filled, controls of equal area."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from audit.classifier import prepare_pixels
from audit.draws import generator
from audit.probes.shortcuts.regions import (
    _quantile,
    border,
    boxed,
    filled,
    markers,
    moved_inside,
    opened,
    ring,
)
from audit.results import Preparation
from audit.stresses.side_marker import marked
from tests.probes.shortcut_models import scenes
from trainers.phantom.spec import PhantomSpec
from trainers.phantom.write import write_dataset

SIZE = 224


def ground(seed: int = 0, side: int = SIZE) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (0.4 + 0.02 * draw.normal(0, 1, (side, side))).astype(np.float32)


def inside(box: tuple[slice, slice], row: float, column: float) -> bool:
    return box[0].start <= row <= box[0].stop and box[1].start <= column <= box[1].stop


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("height", [0.04, 0.06, 0.1])
def test_a_letter_in_a_corner_is_found_where_it_was_put(corner, height):
    image = marked(ground(), height, ("R", corner), 0.05, 0.95)
    (box,) = markers(image)
    middle = [(0.05 + height * f / 2) * SIZE for f in (1, 5 / 7)]
    at = [SIZE - m if end else m for m, end in zip(middle, corner, strict=True)]
    assert inside(box, *at)
    assert (image > 0.6).sum() == (image[box] > 0.6).sum()  # the whole letter


def test_a_solid_square_near_an_edge_is_found_and_one_in_the_middle_is_not():
    for place, count in ((12, 1), (100, 0)):
        image = ground()
        image[place : place + 14, place : place + 14] = 0.95
        assert len(markers(image)) == count


def test_noise_a_long_rod_and_a_bright_half_are_no_markers():
    rod, half = ground(), ground()
    rod[20:200, 20:26] = 0.95
    half[:, 112:] = 0.9
    for image in (ground(), rod, half, np.zeros((SIZE, SIZE), np.float32)):
        assert markers(image) == []


@pytest.mark.parametrize("shape", [(64, 64), (97, 41), (5, 30), (1, 1)])
@pytest.mark.parametrize("size", [1, 3, 8, 9, 36])
def test_an_opening_is_scipys_to_the_bit(shape: tuple[int, int], size: int) -> None:
    image = np.random.default_rng(size).random(shape).astype(np.float32)
    expected = ndimage.grey_opening(image, size=(size, size))
    assert np.array_equal(opened(image, size), expected)


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_quantiles_are_numpys(count: int) -> None:
    values = np.random.default_rng(count).random(count).astype(np.float32)
    for share in (0.25, 0.5, 0.7, 0.9):
        expected = np.quantile(values.astype(np.float64), share)
        assert _quantile(np.sort(values), share) == pytest.approx(expected, abs=1e-12)


def phantoms(folder: Path, spec: PhantomSpec) -> tuple[int, int, int, int]:
    """Images with a marker and those where it was found; without one and those where one was."""
    write_dataset(folder, spec)
    split = folder / "test"
    told = [
        list(csv.DictReader((split / name).read_text().splitlines()))
        for name in ("ground_truth.csv", "labels.csv")
    ]
    truth = {row["path"]: row for row in told[0]}
    with_one = found = without = false = 0
    for row in told[1]:
        with Image.open(split / row["path"]) as picture:
            raw = np.array(picture)
        pixels = raw.astype(np.float32) / np.iinfo(raw.dtype).max
        x = prepare_pixels(pixels, Preparation(height=SIZE, width=SIZE))[0].numpy()
        boxes = markers(x)
        if row["marker"] == "no":
            without += 1
            false += bool(boxes)
            continue
        scale = max(1, len(raw) // 90) * SIZE / len(raw)  # pixels of a letter's square
        at, known = [], truth[row["path"]]
        at.append(float(known["marker_down"]) * SIZE + 3.5 * scale)
        across = float(known["marker_across"]) * SIZE + 2.5 * scale
        at.append(across if row["laterality"] == "R" else SIZE - across)
        with_one += 1
        found += any(inside(box, *at) for box in boxes)
    return with_one, found, without, false


@pytest.mark.slow
def test_the_rule_finds_19_of_20_markers_of_phantoms_and_few_that_are_none(tmp_path):
    spec = PhantomSpec(train=0, val=0, test=120, size=256, seed=11)
    with_one, found, without, false = phantoms(tmp_path / "set", spec)
    assert with_one >= 60
    assert without >= 25
    assert found >= 0.95 * with_one
    assert false <= 0.15 * without


@pytest.mark.parametrize(("height", "width"), [(64, 64), (224, 224), (96, 150), (31, 40)])
def test_the_control_of_the_border_has_its_area_and_does_not_touch_it(height, width):
    outer, inner = border(height, width), ring(height, width)
    assert outer.mean() == pytest.approx(0.36, abs=0.03)
    assert not (outer & inner).any()
    line = 2 * (height + width)
    assert abs(int(outer.sum()) - int(inner.sum())) <= line


def test_what_is_filled_is_the_mean_around_the_nearest_pixel_outside():
    image, mask = ground(3, 96), np.zeros((96, 96), dtype=bool)
    mask[30:44, 8:17] = mask[2:9, 80:91] = True
    side = 11  # a tenth of 96, odd
    rows, columns = ndimage.distance_transform_edt(
        mask, return_distances=False, return_indices=True
    )
    light = ndimage.uniform_filter((image * ~mask).astype(np.float64), side, mode="nearest")
    share = ndimage.uniform_filter((~mask).astype(np.float64), side, mode="nearest")
    expected = (light / share)[rows, columns][mask]
    assert filled(image, mask)[mask] == pytest.approx(expected, abs=1e-6)
    nothing = np.zeros_like(mask)
    assert np.array_equal(filled(image, nothing), image)


def test_a_filled_letter_is_gone_and_all_else_stays():
    plain = ground()
    image = marked(plain, 0.08, ("L", (0, 0)), 0.06, 1.0)
    mask = boxed(markers(image), image.shape)
    out = filled(image, mask)
    assert np.array_equal(out[~mask], image[~mask])
    assert np.abs(out[mask] - 0.4).max() < 0.03  # the level of the ground


def test_what_is_filled_does_not_depend_on_what_was_there():
    mask = border(64, 64)
    one, two = ground(1, 64), ground(1, 64)
    two[mask] = 1.0
    assert np.array_equal(filled(one, mask), filled(two, mask))


def test_the_control_of_a_marker_is_its_shape_moved_to_the_middle():
    mask = boxed([(slice(5, 20), slice(8, 18)), (slice(30, 34), slice(8, 12))], (SIZE, SIZE))
    moved = moved_inside(mask, generator(0, "case", "shortcuts control"))
    assert moved.sum() == mask.sum()
    assert not (moved & mask).any()
    again = moved_inside(mask, generator(0, "case", "shortcuts control"))
    assert np.array_equal(moved, again)
    rows, columns = np.nonzero(moved)
    assert rows.min() >= 0.25 * SIZE
    assert columns.min() >= 0.25 * SIZE


def test_every_planted_marker_of_the_toy_scenes_is_found():
    found = [
        any(inside(box, 7, 6) for box in markers(case.load()))
        for case in scenes(60, 5)
        if case.attributes["marker"] == "yes"
    ]
    assert sum(found) >= 0.95 * len(found) > 20

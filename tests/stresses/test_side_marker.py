"""The side marker against areas by hand, an enlargement by NumPy and PIL's box filter."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.side_marker import LETTERS, marked
from tests.stresses.native import in_colour, levels_of

INK = {"L": 11, "R": 18}  # squares of 5 by 7, counted by eye


def bitmap(letter: str) -> np.ndarray:
    return np.array([[mark == "#" for mark in row] for row in LETTERS[letter]], dtype=np.float32)


@pytest.mark.parametrize("letter", ["L", "R"])
def test_on_whole_pixels_the_letter_is_its_bitmap_enlarged(letter) -> None:
    found = marked(np.zeros((140, 100), np.float32), 0.2, (letter, (0, 1)), 0.05, 1.0)
    expected = np.zeros((140, 100), np.float32)
    large = np.kron(bitmap(letter), np.ones((4, 4), np.float32))  # 28 pixels high, 20 wide
    expected[7:35, 73:93] = large  # 7 pixels from the top and from the right
    assert np.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("letter", ["L", "R"])
@pytest.mark.parametrize("height", [0.02, 0.053, 0.1])
@pytest.mark.parametrize("corner", [(0, 0), (1, 1)])
def test_the_area_is_that_of_the_letter_at_any_size(letter, height, corner) -> None:
    black = np.zeros((331, 290), np.float32)
    found = marked(black, height, (letter, corner), 0.0301, 1.0)
    side = height * 331 / 7
    assert found.sum(dtype=np.float64) == pytest.approx(INK[letter] * side**2, rel=1e-4)


def test_edges_are_mixed_as_a_box_filter_does() -> None:
    fine = np.zeros((1000, 1000), np.uint8)
    fine[50:330, 50:250] = np.kron(bitmap("R"), np.full((40, 40), 255))
    expected = np.asarray(Image.fromarray(fine).reduce(16), np.float32) / 255
    found = marked(np.zeros((63, 63), np.float32), 280 / 1008, ("R", (0, 0)), 50 / 1008, 1.0)
    # PIL rounds to 8 bits and averages the last, half-empty block over what there is of it
    assert np.abs(found - expected)[:62, :62].max() <= 1 / 255


def test_a_grey_letter_takes_its_brightness_over_a_brighter_ground() -> None:
    found = marked(np.ones((140, 100), np.float32), 0.2, ("L", (0, 0)), 0.05, 0.25)
    assert np.allclose(np.unique(found), [0.25, 1.0])
    assert np.count_nonzero(found < 1) == INK["L"] * 16


def test_letters_and_corners_are_drawn_evenly_and_kept_at_every_severity() -> None:
    images = [np.zeros((70, 70), np.float32)] * 400
    seen = []
    for _, found in levels_of("side_marker", images, heights=(0.1, 0.2), margin=0.0):
        places = [np.argwhere(image > 0.5).mean(axis=0) > 35 for image in found]
        letters = [
            "L" if image.sum() < 14.5 * (image.max(1) > 0).sum() ** 2 / 49 else "R"
            for image in found
        ]
        seen.append([(letter, *map(bool, at)) for letter, at in zip(letters, places, strict=True)])
    assert seen[0] == seen[1]
    counts = [seen[0].count(kind) for kind in sorted(set(seen[0]))]
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 1e-3


def test_all_but_the_letter_is_the_image_itself_and_colour_stays_grey() -> None:
    grey = generator(3, "x").random((140, 100), dtype=np.float32)
    found = marked(in_colour(grey), 0.1, ("L", (1, 0)), 0.03, 1.0)
    assert np.array_equal(found, in_colour(marked(grey, 0.1, ("L", (1, 0)), 0.03, 1.0)))
    assert np.array_equal(found[:100], in_colour(grey)[:100])


@pytest.mark.parametrize(
    "params", [{"heights": (0.0,)}, {"heights": (0.9,)}, {"margin": 0.6}, {"brightness": 2.0}]
)
def test_what_is_no_marker_is_refused(params) -> None:
    with pytest.raises(HipauditError, match=next(iter(params))):
        levels_of("side_marker", [np.ones((4, 4), np.float32)], **params)

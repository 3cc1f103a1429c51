"""Low resolution against Pillow's own resizing, and against Nyquist."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from audit.draws import generator
from audit.errors import HipauditError
from tests.stresses.native import in_colour, levels_of


@pytest.mark.parametrize(
    ("shape", "side", "small"),
    [((90, 60), 20, (30, 20)), ((64, 64), 7, (7, 7)), ((50, 200), 25, (25, 100))],
)
def test_it_is_pillows_bilinear_resize_down_and_up(shape, side, small) -> None:
    image = generator(1, "x").random(shape, dtype=np.float32)
    (_, (found,)), *_ = levels_of("low_resolution", [image], sides=(side,))
    down = Image.fromarray(image).resize(small[::-1], Image.Resampling.BILINEAR)
    expected = np.asarray(down.resize(shape[::-1], Image.Resampling.BILINEAR))
    assert np.abs(found - expected).max() < 1e-5


def test_stripes_finer_than_the_new_pixels_vanish_and_coarse_ones_stay() -> None:
    x = np.arange(240)
    for period, least, most in ((4, 0.0, 0.05), (80, 0.9, 1.0)):
        wave = 0.5 + 0.5 * np.cos(2 * np.pi * x / period)
        image = np.tile(wave.astype(np.float32), (240, 1))
        (_, (found,)), *_ = levels_of("low_resolution", [image], sides=(40,))
        inner = found[:, 20:-20].astype(np.float64)
        assert least <= np.ptp(inner) <= most


def test_an_image_that_is_no_larger_is_unchanged() -> None:
    image = generator(2, "x").random((40, 64), dtype=np.float32)
    (_, (same,)), (_, (less,)) = levels_of("low_resolution", [image], sides=(40, 39))
    assert np.array_equal(same, image)
    assert not np.array_equal(less, image)


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (3000, 16), (40, 50, 3)])
def test_shape_and_range_are_kept(shape) -> None:
    image = np.round(generator(3, "x").random(shape)).astype(np.float32)
    for _, (found,) in levels_of("low_resolution", [image], sides=(32, 10, 1)):
        assert found.shape == shape
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(4, "x").random((40, 50), dtype=np.float32)
    (_, (one,)), *_ = levels_of("low_resolution", [grey], sides=(9,))
    (_, (two,)), *_ = levels_of("low_resolution", [in_colour(grey)], sides=(9,))
    assert np.ptp(two, axis=2).max() == 0
    assert np.abs(two - in_colour(one)).max() < 1e-6


@pytest.mark.parametrize("sides", [(), (0,), (12.5,), (32, 64), (float("nan"),)])
def test_a_side_that_makes_no_sense_is_refused(sides) -> None:
    with pytest.raises(HipauditError, match="sides"):
        levels_of("low_resolution", [np.zeros((4, 4), np.float32)], sides=sides)

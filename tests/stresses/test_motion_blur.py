"""Motion blur against SciPy's convolution and shifts, and the moments of a path."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.motion_blur import smeared
from tests.stresses.native import in_colour, levels_of


def smooth(shape: tuple[int, int]) -> np.ndarray:
    noise = generator(1, "smooth").random(shape)
    image = ndimage.gaussian_filter(noise, 3)
    return ((image - image.min()) / np.ptp(image)).astype(np.float32)


@pytest.mark.parametrize("length", [1.0, 1.5, 3.0, 4.4, 9.0, 16.7])
@pytest.mark.parametrize(("direction", "axis"), [(0.0, 1), (90.0, 0), (180.0, 1)])
def test_along_an_axis_it_is_scipys_convolution_with_a_box(length, direction, axis) -> None:
    image = generator(2, "x").random((40, 50), dtype=np.float32)
    reach = int(np.ceil((length - 1) / 2))
    box = np.ones(2 * reach + 1)
    if reach:
        box[[0, -1]] = (length - (2 * reach - 1)) / 2
    expected = ndimage.convolve1d(image.astype(np.float64), box / box.sum(), axis, mode="nearest")
    assert np.abs(smeared(image, length, direction) - expected).max() < 1e-6


@pytest.mark.parametrize("direction", [10.0, 33.0, 45.0, 60.0, 100.0, 135.0, 170.0])
def test_an_oblique_path_is_the_mean_of_shifted_images(direction) -> None:
    image, length = smooth((90, 80)), 14.0
    steps = (np.arange(200) + 0.5) / 200 * length - length / 2
    up, along = np.sin(np.radians(direction)), np.cos(np.radians(direction))
    shifted = [
        ndimage.shift(image.astype(np.float64), (-up * s, along * s), order=3, mode="nearest")
        for s in steps
    ]
    difference = np.abs(smeared(image, length, direction) - np.mean(shifted, axis=0))
    assert difference[15:-15, 15:-15].max() < 0.02  # of a range of 1; linear interpolation blurs


@pytest.mark.parametrize("direction", [0.0, 17.0, 45.0, 63.0, 120.0, 179.0])
@pytest.mark.parametrize("length", [8.3, 20.0, 41.7])
def test_a_point_becomes_a_line_with_the_moments_of_a_uniform_path(direction, length) -> None:
    point = np.zeros((101, 101), np.float32)
    point[50, 50] = 1
    line = smeared(point, length, direction).astype(np.float64)
    down, right = np.mgrid[-50:51, -50:51]
    angle = np.radians(direction)
    along = right * np.cos(angle) - down * np.sin(angle)
    across = right * np.sin(angle) + down * np.cos(angle)
    assert line.sum() == pytest.approx(1, abs=1e-5)
    assert (line * along).sum() == pytest.approx(0, abs=1e-3)
    assert (line * across).sum() == pytest.approx(0, abs=1e-3)
    assert (line * along**2).sum() == pytest.approx(length**2 / 12, abs=0.5)
    assert (line * across**2).sum() < 1.0  # narrower than two pixels


def test_the_direction_is_uniform_over_half_a_turn_and_shared_by_all_severities() -> None:
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1
    down, right = np.mgrid[-20:21, -20:21]
    found = levels_of("motion_blur", [point] * 60, lengths=(0.2, 0.5))

    def angle(line: np.ndarray) -> float:
        xx, yy, xy = (line * right**2).sum(), (line * down**2).sum(), (-line * right * down).sum()
        return float(np.degrees(np.arctan2(2 * xy, xx - yy)) / 2 % 180)

    mild, gross = ([angle(line.astype(np.float64)) for line in lines] for _, lines in found)
    apart = np.abs(np.array(mild) - np.array(gross))
    assert np.minimum(apart, 180 - apart).max() < 5  # degrees, on a raster
    assert stats.kstest(np.array(gross) / 180, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (3000, 16), (5, 7)])
def test_images_smaller_than_the_path_keep_shape_and_range(shape) -> None:
    image = generator(3, "x").random(shape, dtype=np.float32)
    for direction in (0.0, 20.0, 45.0, 90.0, 150.0):
        found = smeared(image, 0.5 * max(shape), direction)
        assert found.shape == shape
        assert found.dtype == np.float32
        assert image.min() - 1e-6 <= found.min() <= found.max() <= image.max() + 1e-6


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(4, "x").random((30, 20), dtype=np.float32)
    (_, (one,)), (_, (two,)) = (
        levels_of("motion_blur", [pixels], lengths=(0.3,))[0] for pixels in (grey, in_colour(grey))
    )
    assert np.array_equal(two, in_colour(one))


@pytest.mark.parametrize("lengths", [(), (0.6,), (-0.1,), (0.2, 0.1), (float("nan"),), ("long",)])
def test_a_length_that_makes_no_sense_is_refused(lengths) -> None:
    with pytest.raises(HipauditError, match="lengths"):
        levels_of("motion_blur", [np.zeros((4, 4), np.float32)], lengths=lengths)

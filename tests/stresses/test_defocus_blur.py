"""Defocus blur against SciPy's Gaussian and the edge-spread function."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.defocus_blur import blurred
from tests.stresses.native import in_colour, levels_of


@pytest.mark.parametrize("sigma", [0.3, 0.7, 1.5, 4.0, 12.0])
@pytest.mark.parametrize("shape", [(60, 90), (33, 33), (1, 1), (2, 300), (300, 16)])
def test_it_is_scipys_gaussian_filter(shape, sigma) -> None:
    image = generator(1, "x").random(shape, dtype=np.float32)
    expected = ndimage.gaussian_filter(image.astype(np.float64), sigma, mode="nearest")
    assert np.abs(blurred(image, sigma) - expected).max() < 2e-6


def test_an_edge_becomes_the_normal_distribution_function() -> None:
    edge = np.zeros((200, 200), np.float32)
    edge[:, 100:] = 1
    (_, (found,)), *_ = levels_of("defocus_blur", [edge], sigmas=(0.03,))
    expected = stats.norm.cdf((np.arange(200) - 99.5) / (0.03 * 200))
    assert np.abs(found[70] - expected).max() < 1e-3  # pixels sample the curve


def test_the_blur_is_measured_on_the_height_of_the_image() -> None:
    point = np.zeros((400, 100), np.float32)
    point[200, 50] = 1
    (_, (found,)), *_ = levels_of("defocus_blur", [point], sigmas=(0.01,))
    down, right = np.mgrid[-200:200, -50:50]
    assert (found * down**2).sum() == pytest.approx(4.0**2, rel=0.01)
    assert (found * right**2).sum() == pytest.approx(4.0**2, rel=0.01)


def test_a_blur_far_below_a_pixel_changes_nothing() -> None:
    image = generator(2, "x").random((50, 40), dtype=np.float32)
    expected = ndimage.gaussian_filter(image.astype(np.float64), 0.19)
    assert np.array_equal(blurred(image, 0.19), image)
    assert np.abs(image - expected).max() < 1e-5


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(3, "x").random((30, 20), dtype=np.float32)
    colour = blurred(in_colour(grey), 2.0)
    assert colour.shape == (30, 20, 3)
    assert np.array_equal(colour, in_colour(blurred(grey, 2.0)))


@pytest.mark.parametrize("sigmas", [(), (0.3,), (-0.1,), (0.02, 0.01), (float("nan"),), (None,)])
def test_a_sigma_that_makes_no_sense_is_refused(sigmas) -> None:
    with pytest.raises(HipauditError, match="sigmas"):
        levels_of("defocus_blur", [np.zeros((4, 4), np.float32)], sigmas=sigmas)

"""Bit depth against evenly spaced levels, the formula of quantisation noise and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from audit.draws import generator
from audit.stresses.bit_depth import quantised
from tests.stresses.native import in_colour, levels_of


@pytest.mark.parametrize("bits", [1, 2, 3, 6, 8])
def test_the_levels_are_two_to_the_bits_evenly_spaced_with_black_and_white(bits) -> None:
    ramp = np.linspace(0, 1, 100_001, dtype=np.float32)[None]
    found = np.unique(quantised(ramp, bits))
    assert found == pytest.approx(np.linspace(0, 1, 2**bits), abs=1e-6)


@pytest.mark.parametrize("bits", [3, 5, 7])
def test_the_error_of_an_even_spread_of_greys_is_that_of_quantisation_noise(bits) -> None:
    n = 200_000
    image = generator(1, "even").random((400, 500), dtype=np.float32)
    delta = 1 / (2**bits - 1)
    error = quantised(image, bits).astype(np.float64) - image
    assert np.abs(error).max() <= delta / 2 + 1e-6
    # even on ±Δ/2: variance Δ²/12, the fourth moment Δ⁴/80 gives the error of its estimate
    spread = delta**2 * np.sqrt((1 / 80 - 1 / 144) / n)
    assert (error**2).mean() == pytest.approx(delta**2 / 12, abs=5 * spread)
    assert error.mean() == pytest.approx(0, abs=5 * delta / np.sqrt(12 * n))


def test_a_half_goes_to_the_brighter_level() -> None:
    assert quantised(np.array([[0.5, 0.49999]], np.float32), 1).tolist() == [[1.0, 0.0]]


def test_an_eight_bit_image_at_eight_bits_is_the_image_itself() -> None:
    image = (np.arange(256, dtype=np.float32) / np.float32(255)).reshape(16, 16)
    assert np.array_equal(quantised(image, 8), image)


def test_rounding_is_numpys_where_no_grey_lies_half_way() -> None:
    image = generator(2, "x").random((64, 64), dtype=np.float32)
    for bits, [found] in levels_of("bit_depth", [image]):
        steps = 2 ** int(bits) - 1
        assert np.allclose(found, np.round(image.astype(np.float64) * steps) / steps, atol=1e-6)


def test_channels_of_a_colour_image_are_treated_alike() -> None:
    grey = generator(3, "x").random((9, 11), dtype=np.float32)
    assert np.array_equal(quantised(in_colour(grey), 3), in_colour(quantised(grey, 3)))

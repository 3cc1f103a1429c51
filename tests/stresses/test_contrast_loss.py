"""Contrast loss against Pillow's contrast and the physics of a veil."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from audit.draws import generator
from audit.errors import HipauditError
from tests.stresses.native import in_colour, levels_of


@pytest.mark.parametrize("kept", [0.8, 0.4, 0.1])
def test_it_is_pillows_contrast_within_its_rounding(kept) -> None:
    levels = generator(1, "x").integers(0, 256, (40, 30), dtype=np.uint8)
    expected = np.asarray(ImageEnhance.Contrast(Image.fromarray(levels)).enhance(kept))
    (_, (found,)), *_ = levels_of("contrast_loss", [levels.astype(np.float32) / 255], kept=(kept,))
    # Pillow rounds the mean to a level and cuts the result down to one
    assert np.abs(255 * found - expected.astype(float)).max() <= 1.6


def test_the_mean_stays_and_the_spread_is_the_part_kept() -> None:
    image = generator(2, "x").random((40, 30), dtype=np.float32)
    for kept, (found,) in levels_of("contrast_loss", [image]):
        assert found.mean() == pytest.approx(image.mean(), abs=1e-6)
        assert found.std() == pytest.approx(kept * image.std(), rel=1e-5)


def test_a_uniform_veil_of_scatter_takes_that_part_of_small_contrasts() -> None:
    primary = np.exp(-4.0 * np.array([0.5, 0.5 + 1e-4]))
    veiled = -np.log(primary + 3.0 * primary[0]) / 4.0  # scatter-to-primary ratio 3
    assert np.diff(veiled)[0] / 1e-4 == pytest.approx(0.25, rel=1e-3)
    image = np.array([[0.5, 0.5001]], np.float32)
    (_, (found,)), *_ = levels_of("contrast_loss", [image], kept=(0.25,))
    assert np.ptp(found) == pytest.approx(0.25 * np.ptp(image), rel=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (5, 4, 3)])
def test_shape_and_range_are_kept(shape) -> None:
    image = np.round(generator(3, "x").random(shape)).astype(np.float32)
    for _, (found,) in levels_of("contrast_loss", [image]):
        assert found.shape == shape
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(4, "x").random((6, 5), dtype=np.float32)
    for (_, (one,)), (_, (two,)) in zip(
        levels_of("contrast_loss", [grey]),
        levels_of("contrast_loss", [in_colour(grey)]),
        strict=True,
    ):
        assert np.abs(two - in_colour(one)).max() < 1e-6
        assert np.ptp(two, axis=2).max() == 0


@pytest.mark.parametrize("kept", [(), (1.5,), (0.2, 0.4), (float("nan"),), ("half",)])
def test_a_part_that_makes_no_sense_is_refused(kept) -> None:
    with pytest.raises(HipauditError, match="kept"):
        levels_of("contrast_loss", [np.zeros((4, 4), np.float32)], kept=kept)

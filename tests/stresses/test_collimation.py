"""Collimation against areas by hand and a slice of the image."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.collimation import collimated
from audit.stresses.registry import Batch, get_stress


def yields(pixels: list[np.ndarray], **params: object) -> list[list[np.ndarray]]:
    n = len(pixels)
    rngs = [generator(1, str(i)) for i in range(n)]
    batch = Batch(torch.zeros(n, 1, 4, 4), torch.zeros(n, dtype=torch.long), rngs, pixels)
    return [list(a.images) for a in get_stress("collimation").perturb(None, batch, **params)]


@pytest.mark.parametrize("shape", [(100, 100), (301, 200), (2, 300), (1, 1)])
@pytest.mark.parametrize("closed", [0.1, 0.5, 0.9])
def test_the_closed_area_is_the_part_asked_for_to_rounding_error(shape, closed) -> None:
    white = np.ones(shape, np.float32)
    left = collimated(white, closed, (0.3, -0.7), 0.0)
    assert left.mean(dtype=np.float64) == pytest.approx(1 - closed, abs=1e-6)


def test_a_field_on_whole_pixels_is_a_slice_of_the_image_and_black_around_it() -> None:
    image = generator(2, "x").random((100, 80), dtype=np.float32)
    found = collimated(image, 0.75, (0.0, 0.0), 0.0)  # half of each side: 50 by 40
    expected = np.zeros_like(image)
    expected[25:75, 20:60] = image[25:75, 20:60]
    assert np.array_equal(found, expected)


def test_an_offset_of_one_moves_the_field_to_the_border() -> None:
    image = np.ones((100, 80), np.float32)
    expected = np.zeros_like(image)
    expected[50:, :40] = 1
    assert np.array_equal(collimated(image, 0.75, (1.0, -1.0), 0.0), expected)


def test_a_shade_of_one_is_white_outside_and_the_image_inside() -> None:
    image = np.full((100, 80), 0.25, np.float32)
    found = collimated(image, 0.75, (0.0, 0.0), 1.0)
    assert np.all(found[25:75, 20:60] == 0.25)
    assert np.all(found[:25] == 1.0)
    assert np.all(found[:, 60:] == 1.0)


def test_a_severer_field_lies_within_the_milder_one_whatever_was_drawn() -> None:
    images = [np.ones((61, 47), np.float32) for _ in range(20)]
    levels = yields(images, jitter=1.0)
    for mild, gross in pairwise(levels):
        assert all(np.all(b <= a + 1e-6) for a, b in zip(mild, gross, strict=True))


def test_cases_have_centres_of_their_own_unless_there_is_no_jitter() -> None:
    images = [np.ones((61, 47), np.float32) for _ in range(8)]
    assert len({image.tobytes() for image in yields(images)[-1]}) == 8
    central = yields(images, jitter=0.0)[-1]
    assert len({image.tobytes() for image in central}) == 1
    assert np.allclose(central[0], central[0][::-1, ::-1], atol=1e-6)


def test_a_grey_radiograph_stored_in_colour_is_treated_as_the_grey_one() -> None:
    grey = generator(3, "x").random((20, 30), dtype=np.float32)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    found = collimated(colour, 0.4, (0.2, 0.1), 0.5)
    assert np.array_equal(found[:, :, 0], collimated(grey, 0.4, (0.2, 0.1), 0.5))
    assert np.ptp(found, axis=2).max() == 0


@pytest.mark.parametrize(
    "params", [{"closed": (1.0,)}, {"closed": (-0.1,)}, {"jitter": 2.0}, {"shade": -1.0}]
)
def test_what_no_collimator_can_do_is_refused(params) -> None:
    with pytest.raises(HipauditError, match=next(iter(params))):
        yields([np.ones((4, 4), np.float32)], **params)

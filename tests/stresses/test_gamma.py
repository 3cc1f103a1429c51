"""Gamma against the power law and Pillow's look-up table."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from audit.draws import generator
from audit.errors import HipauditError
from tests.stresses.native import in_colour, levels_of


@pytest.mark.parametrize(("towards", "power"), [("darker", 2.5), ("brighter", 1 / 2.5)])
def test_all_8_bit_levels_go_where_pillows_table_sends_them(towards, power) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    table = [round(255 * (level / 255) ** power) for level in range(256)]
    expected = np.asarray(Image.fromarray(levels).point(table))
    (_, (found,)), *_ = levels_of(
        "gamma", [levels.astype(np.float32) / 255], gammas=(2.5,), towards=towards
    )
    assert np.abs(255 * found - expected).max() <= 0.501


def test_darker_and_brighter_undo_each_other() -> None:
    image = generator(1, "x").random((20, 30), dtype=np.float32)
    (_, (dark,)), *_ = levels_of("gamma", [image], gammas=(2.0,), towards="darker")
    (_, (back,)), *_ = levels_of("gamma", [dark], gammas=(2.0,), towards="brighter")
    assert dark.mean() < image.mean()
    assert np.abs(back - image).max() < 1e-6


def test_black_and_white_stay_and_every_severity_of_a_case_goes_the_same_way() -> None:
    image = np.array([[0.0, 0.5, 1.0]], np.float32)
    found = np.array([images for _, images in levels_of("gamma", [image] * 40)])
    assert found.shape == (5, 40, 1, 3)
    assert np.array_equal(found[..., 0], np.zeros((5, 40, 1)))
    assert np.array_equal(found[..., 2], np.ones((5, 40, 1)))
    darker = found[..., 1] < 0.5
    assert (darker == darker[0]).all()
    assert 5 < darker[0].sum() < 35


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(2, "x").random((6, 5), dtype=np.float32)
    for (_, (one,)), (_, (two,)) in zip(
        levels_of("gamma", [grey]), levels_of("gamma", [in_colour(grey)]), strict=True
    ):
        assert np.array_equal(two, in_colour(one))


@pytest.mark.parametrize(
    "params", [{"gammas": ()}, {"gammas": (0.5,)}, {"gammas": (2.0, 1.5)}, {"towards": "up"}]
)
def test_parameters_that_make_no_sense_are_refused(params) -> None:
    with pytest.raises(HipauditError, match=next(iter(params))):
        levels_of("gamma", [np.zeros((4, 4), np.float32)], **params)

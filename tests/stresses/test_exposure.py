"""Exposure against Beer–Lambert, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audit.draws import generator
from audit.errors import HipauditError
from tests.stresses.native import in_colour, levels_of


@pytest.mark.parametrize(("towards", "factor"), [("darker", 2.0), ("brighter", 0.5)])
def test_a_stop_doubles_or_halves_the_quanta_at_the_detector(towards, factor) -> None:
    image = (0.3 + 0.4 * generator(1, "x").random((20, 30))).astype(np.float32)
    (_, (found,)), *_ = levels_of("exposure", [image], stops=(1.0,), towards=towards)
    before, after = np.exp(-4.0 * image.astype(np.float64)), np.exp(-4.0 * found.astype(np.float64))
    assert np.allclose(after / before, factor, rtol=1e-5)


def test_what_leaves_the_scale_is_cut_off() -> None:
    ramp = np.linspace(0, 1, 101, dtype=np.float32)[None]
    (_, (dark,)), *_ = levels_of("exposure", [ramp], stops=(2.0,), towards="darker")
    shift = 2 * np.log(2) / 4
    assert (dark == 0).sum() == np.floor(100 * shift) + 1
    assert np.allclose(dark, np.maximum(0, np.linspace(0, 1, 101) - shift), atol=1e-6)


def test_either_way_is_as_likely_and_all_severities_of_a_case_go_the_same_way() -> None:
    grey = np.full((2, 2), 0.5, np.float32)
    found = levels_of("exposure", [grey] * 200, stops=(0.5, 1.0))
    mild, gross = ([float(image[0, 0]) < 0.5 for image in images] for _, images in found)
    assert mild == gross
    assert stats.binomtest(sum(mild), 200, 0.5).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (5, 4, 3)])
def test_shape_and_range_are_kept(shape) -> None:
    image = generator(2, "x").random(shape, dtype=np.float32)
    for _, (found,) in levels_of("exposure", [image]):
        assert found.shape == shape
        assert found.dtype == np.float32
        assert 0 <= found.min() <= found.max() <= 1


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(3, "x").random((6, 5), dtype=np.float32)
    for (_, (one,)), (_, (two,)) in zip(
        levels_of("exposure", [grey]), levels_of("exposure", [in_colour(grey)]), strict=True
    ):
        assert np.array_equal(two, in_colour(one))


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"stops": ()}, "stops"),
        ({"stops": (-1.0,)}, "stops"),
        ({"stops": (1.0, 0.5)}, "stops"),
        ({"depth": 0.0}, "depth"),
        ({"towards": "darkr"}, 'Did you mean "darker"'),
        ({"towards": 3}, "towards"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params, named) -> None:
    with pytest.raises(HipauditError, match=named):
        levels_of("exposure", [np.zeros((4, 4), np.float32)], **params)

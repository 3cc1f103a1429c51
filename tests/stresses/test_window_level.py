"""Window and level against the window of DICOM, in NumPy's own interpolation."""

from __future__ import annotations

import numpy as np
import pytest

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.window_level import windowed
from tests.stresses.native import in_colour, levels_of


@pytest.mark.parametrize(("width", "level"), [(1.0, 0.5), (0.5, 0.5), (0.3, 0.2), (0.1, 0.9)])
def test_a_window_is_linear_between_its_ends_and_flat_beyond(width, level) -> None:
    image = generator(1, "x").random((20, 30), dtype=np.float32)
    expected = np.interp(image, [level - width / 2, level + width / 2], [0, 1])
    assert np.abs(windowed(image, width, level) - expected).max() < 2e-6


def test_a_central_window_multiplies_the_spread_by_its_inverse_and_keeps_the_middle() -> None:
    image = (0.5 + 0.1 * (generator(2, "x").random((50, 50)) - 0.5)).astype(np.float32)
    (_, (found,)), *_ = levels_of("window_level", [image], widths=(0.25,), jitter=0.0)
    assert found.std() == pytest.approx(4 * image.std(), rel=1e-4)
    assert found.mean() - 0.5 == pytest.approx(4 * (image.mean() - 0.5), abs=1e-5)


def ends(image: np.ndarray) -> tuple[float, float]:
    """Where the window of a ramp from black to white begins and ends."""
    inside = np.flatnonzero((image > 0) & (image < 1))
    return inside[0] / (image.size - 1), inside[-1] / (image.size - 1)


def test_the_level_is_drawn_once_and_a_narrower_window_lies_within_the_wider() -> None:
    ramp = np.linspace(0, 1, 1001, dtype=np.float32)[None]
    found = levels_of("window_level", [ramp] * 30, jitter=1.0)
    seen = np.array([[ends(image) for image in images] for _, images in found])
    widths = [width for width, _ in found]
    assert np.allclose(seen[:, :, 1] - seen[:, :, 0], np.array(widths)[:, None], atol=0.003)
    assert (np.diff(seen[:, :, 0], axis=0) >= -0.0015).all()
    assert (np.diff(seen[:, :, 1], axis=0) <= 0.0015).all()
    assert seen.min() >= 0
    assert seen.max() <= 1
    middles = seen[-1].mean(axis=1)
    assert 0.15 <= middles.min() < 0.35  # a width of 0.3: levels from 0.15 to 0.85
    assert 0.65 < middles.max() <= 0.85


def test_a_grey_radiograph_stored_in_colour_stays_grey() -> None:
    grey = generator(3, "x").random((6, 5), dtype=np.float32)
    for (_, (one,)), (_, (two,)) in zip(
        levels_of("window_level", [grey]), levels_of("window_level", [in_colour(grey)]), strict=True
    ):
        assert np.array_equal(two, in_colour(one))


@pytest.mark.parametrize(
    "params", [{"widths": ()}, {"widths": (0.0,)}, {"widths": (0.3, 0.5)}, {"jitter": 1.5}]
)
def test_parameters_that_make_no_sense_are_refused(params) -> None:
    with pytest.raises(HipauditError, match=next(iter(params))):
        levels_of("window_level", [np.zeros((4, 4), np.float32)], **params)

"""Two small pictures laid over each other: the parts against scipy, the whole on moved copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from audit.cases import overlay
from audit.cases.overlay import aligned

SIDE = 64


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """(6, 96, 96): texture at two scales."""
    noise = np.random.default_rng(3).normal(size=(6, 96, 96))
    coarse, fine = (ndimage.gaussian_filter(noise, (0, s, s)) for s in (6, 1.5))
    return np.float32(coarse / coarse.std() + 0.3 * fine / fine.std())


@pytest.fixture(scope="module")
def moved(pictures) -> tuple[np.ndarray, np.ndarray]:
    """The middle of each, and the same turned by 3 degrees and shifted."""
    turned = ndimage.rotate(pictures, 3, axes=(1, 2), reshape=False, order=3)
    there = ndimage.shift(turned, (0, 1.5, -2), order=3)
    middle = np.s_[:, 16 : 16 + SIDE, 16 : 16 + SIDE]
    return pictures[middle].copy(), there[middle].copy()


def test_a_copy_that_was_turned_and_shifted_fits_and_another_picture_does_not(moved) -> None:
    one, other = moved
    assert (aligned(one, other, 0.9) > 0.97).all()
    assert (aligned(one, np.roll(other, 1, axis=0), 0.9) < 0.3).all()


def test_the_sampling_is_that_of_scipy(pictures) -> None:
    images = torch.from_numpy(pictures[:, :SIDE, :SIDE].astype(np.float64))
    theta = torch.randn(6, 2, 3, generator=torch.manual_seed(0), dtype=torch.float64)
    places = overlay._places(theta, images)
    grid = np.indices((SIDE, SIDE)).reshape(2, -1) - (SIDE - 1) / 2
    base = np.vstack([grid / (SIDE / 2), np.ones((1, SIDE**2))])
    for order, sampled in ((1, overlay._sampled), (3, overlay._sampled_smoothly)):
        for image, numbers, found in zip(images, theta, sampled(images, places), strict=True):
            at = grid + numbers.numpy() @ base + (SIDE - 1) / 2
            expected = ndimage.map_coordinates(image.numpy(), at, order=order, mode="nearest")
            assert np.allclose(found.numpy().ravel(), expected, rtol=0, atol=1e-12)


def test_single_precision_agrees_with_double(moved) -> None:
    one, other = moved
    single, double = aligned(one, other, 9.0), aligned(one, other, -9.0)
    assert single != pytest.approx(double, abs=1e-12)
    assert single == pytest.approx(double, abs=1e-4)


def test_outlines_that_all_run_one_way_are_fitted_in_double_precision() -> None:
    bars = np.tile(np.sin(np.arange(SIDE) / 3), (1, SIDE, 1)).astype(np.float32)
    later = np.roll(bars, 1, axis=2)
    for one, other in ((bars, later), (bars.swapaxes(1, 2).copy(), later.swapaxes(1, 2).copy())):
        assert aligned(one, other, 9.0) == aligned(one, other, -9.0)


def test_how_many_are_compared_at_a_time_changes_nothing(moved) -> None:
    one, other = (np.concatenate([these] * 4) for these in moved)
    each = [aligned(one[k : k + 1], other[k : k + 1], 0.9)[0] for k in range(len(one))]
    assert aligned(one, other, 0.9) == pytest.approx(each, abs=1e-12)


def test_flat_pictures_have_no_edges_and_threads_stay_as_they_were() -> None:
    before = torch.get_num_threads()
    flat = np.ones((2, SIDE, SIDE), np.float32)
    assert aligned(flat, flat, 0.9).tolist() == [0, 0]
    assert torch.get_num_threads() == before

"""The crop against slicing, block means, SciPy and numerical derivatives; and the way back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from audit.cascade.crop import crop, in_frame, samples_for

NOISE = torch.rand(2, 1, 48, 64, generator=torch.Generator().manual_seed(1))


def at(*centres: tuple[float, float]) -> torch.Tensor:
    return torch.tensor(centres, dtype=torch.float32)


def test_a_window_on_whole_pixels_is_a_slice():
    centre = at((20 / 64, 16 / 48), (40 / 64, 30 / 48))
    found = crop(NOISE, centre, torch.tensor([16 / 48, 16 / 48]), 16)
    torch.testing.assert_close(found[0], NOISE[0, :, 8:24, 12:28], rtol=0, atol=1e-5)
    torch.testing.assert_close(found[1], NOISE[1, :, 22:38, 32:48], rtol=0, atol=1e-5)


def test_samples_of_a_larger_window_are_averaged_as_block_means():
    x = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    found = crop(x, at((0.5, 0.5)), torch.ones(1), 16, samples=4)[0, 0].numpy()
    wanted = x[0, 0].numpy().reshape(16, 4, 16, 4).mean((1, 3))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_anywhere_it_is_the_bilinear_interpolation_of_scipy_with_black_outside():
    centre, side, size = (0.93, 0.11), 0.37, 20
    found = crop(NOISE[:1], at(centre), torch.tensor([side]), size)[0, 0].numpy()
    offset = ((np.arange(size) + 0.5) / size - 0.5) * side * 48
    rows, columns = centre[1] * 48 + offset - 0.5, centre[0] * 64 + offset - 0.5
    grid = np.meshgrid(rows, columns, indexing="ij")
    wanted = map_coordinates(NOISE[0, 0].numpy(), grid, order=1, mode="grid-constant", cval=0.0)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert (found == 0).any()


def test_gradients_reach_the_image_the_centre_and_the_side():
    x = torch.rand(1, 1, 9, 11, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    centre = torch.tensor([[0.47, 0.53]], dtype=torch.float64)
    side = torch.tensor([0.51], dtype=torch.float64)
    for one in (x, centre, side):
        one.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda *a: crop(*a, 3, 2), (x, centre, side))


@pytest.mark.parametrize(("largest", "size"), [(1.0, 224), (0.31, 200), (0.05, 64)])
def test_enough_samples_leave_no_pixel_of_the_window_out(largest, size):
    samples = samples_for(largest, 1024, 2000, size)
    assert largest * 1024 / (size * samples) <= 1
    assert samples == 1 or largest * 1024 / (size * (samples - 1)) > 1


def test_a_map_comes_back_to_where_the_crop_was_taken():
    heat = torch.zeros(16, 16)
    heat[3, 5] = 1.0
    back = in_frame(heat, torch.tensor([40 / 64, 30 / 48]), torch.tensor(16 / 48), 48, 64)
    assert back.shape == (48, 64)
    assert divmod(int(back.argmax()), 64) == (22 + 3, 32 + 5)
    outside = back.clone()
    outside[22:38, 32:48] = 0
    assert outside.abs().max() == 0


def test_a_map_of_ones_covers_exactly_the_window():
    back = in_frame(torch.ones(4, 4), torch.tensor([20 / 64, 16 / 48]), torch.tensor(0.25), 48, 64)
    wanted = np.zeros((48, 64), np.float32)
    wanted[10:22, 14:26] = 1
    np.testing.assert_allclose(back.numpy(), wanted, atol=1e-6)

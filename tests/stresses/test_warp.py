"""The geometry against SciPy and against slices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from audit.errors import HipauditError
from audit.stresses.warp import FILLS, INTERPOLATIONS, canvas, cut, warp, whole_pixels

SIZES = [(24, 40), (33, 20)]  # neither square nor of one parity: an x/y confusion fails


def random_images(height: int, width: int, channels: int = 1) -> torch.Tensor:
    drawn = torch.rand(2, channels, height, width, generator=torch.Generator().manual_seed(3))
    return drawn.float()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("angle", [30.0, -17.3, 90.0, 1.0])
def test_a_positive_angle_turns_as_scipy_rotate_does(size: tuple[int, int], angle: float) -> None:
    x = random_images(*size)
    ours = warp(x, [angle, angle], [0, 0], [0, 0])
    theirs = ndimage.rotate(
        x.numpy().astype(np.float64),
        angle,
        axes=(2, 3),
        reshape=False,
        order=1,
        mode="grid-constant",
    )
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)


def test_a_positive_angle_takes_a_dot_on_the_right_to_the_top() -> None:
    x = torch.zeros(1, 1, 21, 21)
    x[0, 0, 10, 18] = 1.0
    assert warp(x, [90.0], [0], [0])[0, 0, 2, 10] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("right", "down"), [(3, 0), (-3, 0), (0, 2), (0, -2), (4, -1)])
def test_a_pure_shift_is_scipy_shift_bit_for_bit(
    size: tuple[int, int], right: int, down: int
) -> None:
    x = random_images(*size)
    ours = warp(x, [0.0, 0.0], [right, right], [down, down])
    theirs = ndimage.shift(x.numpy(), (0, 0, down, right), order=0, mode="constant", cval=0.0)
    np.testing.assert_array_equal(ours.numpy(), theirs)


def test_a_shift_to_the_right_and_down_is_a_slice() -> None:
    x = random_images(24, 40)
    ours = warp(x, [0.0, 0.0], [5, 5], [2, 2])
    assert torch.equal(ours[:, :, 2:, 5:], x[:, :, :-2, :-5])
    assert ours[:, :, :2].max() == 0
    assert ours[:, :, :, :5].max() == 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("angle", "right", "down"), [(20.0, 3, -2), (-20.0, -4, 5), (7.0, 0, 3)])
def test_rotation_comes_first_and_the_shift_second_as_in_scipy(
    size: tuple[int, int], angle: float, right: int, down: int
) -> None:
    x = random_images(*size)
    # Rotated on a plane large enough that nothing is lost, then shifted: two SciPy calls.
    rim = 12
    wide = np.pad(x[0, 0].numpy().astype(np.float64), rim)
    turned = ndimage.rotate(wide, angle, reshape=False, order=1, mode="grid-constant")
    moved = ndimage.shift(turned, (down, right), order=0, mode="grid-constant")
    theirs = moved[rim:-rim, rim:-rim]
    ours = warp(x[:1], [angle], [right], [down])
    np.testing.assert_allclose(ours[0, 0].numpy(), theirs, atol=1e-5)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("angle", [0.0, -13.0])
def test_a_cut_of_the_canvas_is_the_warp_bit_for_bit(
    fill: str, interpolation: str, angle: float
) -> None:
    x = random_images(24, 40, channels=3)
    reach = (4, 2)
    held = canvas(x, angle, reach, fill, interpolation)
    for right, down in [(-4, 0), (3, 2), (0, -2), (1, 1)]:
        direct = warp(
            x, [angle] * 2, [right] * 2, [down] * 2, fill=fill, interpolation=interpolation
        )
        assert torch.equal(cut(held, right, down, reach), direct)


def test_each_image_of_a_batch_gets_its_own_transform() -> None:
    x = random_images(24, 40)
    both = warp(x, [12.0, 0.0], [1, -3], [0, 2])
    assert torch.equal(both[:1], warp(x[:1], [12.0], [1], [0]))
    assert torch.equal(both[1:], warp(x[1:], [0.0], [-3], [2]))


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("angle", [0.0, 12.5])
def test_images_that_are_moved_alike_come_out_as_beside_one_that_is_not(
    angle: float, fill: str
) -> None:
    x = random_images(24, 40)
    alike = warp(x, [angle, angle], [3, 3], [-2, -2], fill=fill)
    beside = warp(x, [angle, -40.0], [3, 1], [-2, 5], fill=fill)
    assert torch.equal(alike[0], beside[0])
    assert torch.equal(alike[1], warp(x[1:], [angle], [3], [-2], fill=fill)[0])


@pytest.mark.parametrize("angle", [0.0, 25.0])
def test_what_comes_in_is_black_or_the_border_or_the_mean(angle: float) -> None:
    x = torch.full((1, 1, 20, 20), 0.6)
    x[0, 0, 8:12, 8:12] = 0.2
    mean = float(x.mean())
    corner = {
        fill: float(warp(x, [angle], [6], [6], fill=fill)[0, 0, 0, 0])
        for fill in ("zero", "edge", "mean")
    }
    assert corner == {
        "zero": 0.0,
        "edge": pytest.approx(0.6, abs=1e-6),
        "mean": pytest.approx(mean, abs=1e-6),
    }


def test_the_result_stays_in_range_even_where_bicubic_overshoots() -> None:
    x = (random_images(24, 40) > 0.5).float()
    out = warp(x, [11.0, 11.0], [0, 0], [0, 0], interpolation="bicubic")
    assert out.min() >= 0
    assert out.max() <= 1
    assert out.dtype == torch.float32


def test_an_unknown_fill_is_refused_with_the_known_ones() -> None:
    with pytest.raises(HipauditError, match='Did you mean "zero"'):
        warp(random_images(8, 8), [0.0, 0.0], [0, 0], [0, 0], fill="zeros")


@pytest.mark.parametrize(
    ("fraction", "size", "pixels"),
    [(0.1, 224, 22), (-0.1, 224, -22), (0.05, 224, 11), (0.15, 20, 3), (0.0, 99, 0)],
)
def test_a_shift_is_whole_pixels_and_never_further_than_asked(
    fraction: float, size: int, pixels: int
) -> None:
    assert whole_pixels(fraction, size) == pixels


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("angle", [0.0, 14.0])
def test_gradients_pass_through_because_a_warp_is_linear_in_the_image(
    fill: str, angle: float
) -> None:
    x = (0.1 + 0.8 * random_images(24, 40)).requires_grad_()
    weight = random_images(24, 40).flip(0)
    value = (warp(x, [angle, angle], [2, 2], [-1, -1], fill=fill) * weight).sum()
    (gradient,) = torch.autograd.grad(value, x)
    # Euler: a linear function is the inner product of its gradient and its argument.
    assert (gradient * x).sum().item() == pytest.approx(value.item(), rel=1e-5)

"""ART's own spatial and pixel attacks: parity where they are right, evidence where not.

ART 1.20.1. Each trap below is why hipaudit runs its own search behind ART's interface.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from audit.stresses.art_bridge import as_evasion_attack
from audit.stresses.warp import warp
from tests.toys import (
    FooledByPixel,
    FooledByShift,
    attack,
    balanced_net,
    batch_of,
    centred_dot,
    classifier_of,
    decided,
)

pytest.importorskip("art")
H, W = 20, 40  # a tenth is 2 rows and 4 columns
REACH = {"right": 4, "left": 4, "down": 2, "up": 2}


class ChannelsLast(torch.nn.Module):
    """The toy for NHWC images, the layout ART's spatial attack was written for."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.module(x.permute(0, 3, 1, 2))
        return logits


def art_classifier(
    module: torch.nn.Module, shape: tuple[int, ...], channels_first: bool = True
) -> Any:
    from art.estimators.classification import PyTorchClassifier

    return PyTorchClassifier(
        model=module if channels_first else ChannelsLast(module),
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=shape,
        nb_classes=2,
        channels_first=channels_first,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )


def art_spatial(module: torch.nn.Module, shape: tuple[int, ...], channels_first: bool) -> Any:
    from art.attacks.evasion import SpatialTransformation

    return SpatialTransformation(
        art_classifier(module, shape, channels_first),
        max_translation=10.0,
        num_translations=5,
        max_rotation=0.0,
        num_rotations=1,
        verbose=False,
    )


@pytest.fixture
def numpy_seeded() -> Iterator[None]:
    """ART's evolution draws from NumPy's global generator and leaves it changed."""
    before = np.random.get_state()  # noqa: NPY002 - the global generator is ART's
    np.random.seed(0)  # noqa: NPY002 - as above
    yield
    np.random.set_state(before)  # noqa: NPY002 - as above


@pytest.mark.parametrize("further", [0, 1])
@pytest.mark.parametrize("direction", REACH)
def test_on_one_channels_last_image_art_and_we_agree_which_shift_fools(
    direction: str, further: int
) -> None:
    toy = FooledByShift(direction, REACH[direction] + further)
    x = centred_dot(1, H, W)
    theirs = art_spatial(toy, (H, W, 1), channels_first=False)
    theirs.generate(x.permute(0, 2, 3, 1).numpy())
    ours = batch_of(x)
    attack(classifier_of(toy, H, W), ours, "rotation_translation", mode="grid", angles=1)
    assert bool(theirs.fooling_rate) == (not ours.open[0]) == (further == 0)


@pytest.mark.parametrize("direction", REACH)
def test_a_shift_by_art_and_by_us_is_the_same_bit_for_bit(direction: str) -> None:
    theirs = art_spatial(FooledByShift(direction, 2), (H, W, 1), channels_first=False)
    theirs.generate(centred_dot(1, H, W).permute(0, 2, 3, 1).numpy())
    down, right = theirs.attack_trans_x, theirs.attack_trans_y  # ART's x is the row
    assert (right, down) != (0, 0)
    noise = torch.rand(1, 1, H, W, generator=torch.Generator().manual_seed(2))
    # A second call of the same object does not search: it applies the transform of the first.
    moved = theirs.generate(noise.permute(0, 2, 3, 1).numpy())
    ours = warp(noise, [0.0], [right], [down])[0, 0].numpy()
    inside = ours > 0
    np.testing.assert_array_equal(moved[0, inside, 0], ours[inside])
    # Where black comes in, ART's rotation by 0 degrees leaves the dust of its spline.
    assert moved[0, ~inside, 0].max() < 1e-15


@pytest.mark.parametrize("angle", [20.0, -20.0])
def test_art_turns_the_same_way_within_the_error_of_interpolation(angle: float) -> None:
    # ART rotates by a cubic spline and we bilinearly, so only smooth images can agree.
    noise = np.random.default_rng(0).random((1, 1, 32, 32))
    smooth = gaussian_filter(noise, (0, 0, 3, 3)).astype(np.float32)
    theirs = art_spatial(FooledByShift("right", 2), (32, 32, 1), channels_first=False)
    theirs.attack_trans_x, theirs.attack_trans_y, theirs.attack_rot = 0, 0, angle
    turned = theirs.generate(smooth.transpose(0, 2, 3, 1))[0, 8:-8, 8:-8, 0]
    same, other = (
        np.abs(ours[0, 0, 8:-8, 8:-8].numpy() - turned).max()
        for ours in (warp(torch.from_numpy(smooth), [way], [0], [0]) for way in (angle, -angle))
    )
    assert same < 0.01
    assert other > 5 * same


@pytest.mark.parametrize("direction", ["up", "down"])
def test_trap_on_channels_first_images_art_never_shifts_vertically(direction: str) -> None:
    toy = FooledByShift(direction, 1)
    x = centred_dot(1, H, W).numpy()
    theirs = art_spatial(toy, (1, H, W), channels_first=True)
    np.testing.assert_array_equal(theirs.generate(x), x)
    assert (theirs.fooling_rate, theirs.attack_trans_x) == (0.0, 0)
    ours = as_evasion_attack(
        "rotation_translation", art_classifier(toy, (1, H, W)), mode="grid", angles=1
    )
    assert decided(classifier_of(toy, H, W), torch.from_numpy(ours.generate(x))).tolist() == [0]


def test_trap_on_channels_first_images_art_takes_the_horizontal_limit_from_the_height() -> None:
    toy = FooledByShift("right", 3)  # 4 columns are a tenth of the width
    x = centred_dot(1, H, W).numpy()
    theirs = art_spatial(toy, (1, H, W), channels_first=True)
    theirs.generate(x)
    assert theirs.fooling_rate == 0.0


@pytest.mark.parametrize("mode", ["grid", "worst_of_k"])
@pytest.mark.parametrize("direction", REACH)
def test_ours_as_an_art_attack_finds_the_planted_shift_on_both_axes(
    direction: str, mode: str
) -> None:
    x = centred_dot(4, H, W).numpy()
    for further, decision in [(0, 0), (1, 1)]:
        toy = FooledByShift(direction, REACH[direction] + further)
        ours = as_evasion_attack(
            "rotation_translation", art_classifier(toy, (1, H, W)), mode=mode, k=100, angles=3
        )
        found = torch.from_numpy(ours.generate(x, np.ones(4, dtype=int)))
        assert decided(classifier_of(toy, H, W), found).tolist() == [decision] * 4


def art_pixel(module: torch.nn.Module, shape: tuple[int, ...], **params: Any) -> Any:
    from art.attacks.evasion import PixelAttack

    return PixelAttack(art_classifier(module, shape), th=1, es=1, **params)


def test_trap_pixel_attack_refuses_labels_of_a_two_class_model() -> None:
    attack_of_art = art_pixel(FooledByPixel(9, 3, 12, 14), (1, 12, 14))
    x = np.zeros((1, 1, 12, 14), np.float32)
    for labels in (np.array([1]), np.array([[0.0, 1.0]])):
        with pytest.raises(ValueError, match="binary classification with a single output"):
            attack_of_art.generate(x, labels)


@pytest.mark.usefixtures("numpy_seeded")
def test_art_and_both_our_modes_find_the_planted_pixel() -> None:
    height, width, column, row = 12, 14, 12, 3
    toy = FooledByPixel(column, row, height, width)
    x = np.zeros((2, 1, height, width), np.float32)
    attacks = [art_pixel(toy, (1, height, width), max_iter=20)]
    for mode in ("su2019", "art"):
        target = art_classifier(toy, (1, height, width))
        attacks.append(as_evasion_attack("one_pixel", target, mode=mode, queries=8000))
    for one in attacks:
        found = one.generate(x)
        assert [image[0].nonzero() for image in found] == [([row], [column])] * 2
        assert found[:, 0, row, column].min() >= 0.9 - 1e-3


@pytest.mark.slow
@pytest.mark.usefixtures("numpy_seeded")
def test_art_and_we_fool_the_same_images_at_an_equal_budget() -> None:
    side, n, generations = 12, 24, 5
    net, x, _ = balanced_net(n, side, seed=2)
    model = classifier_of(net, side, side)
    clean = decided(model, x)
    theirs = art_pixel(net, (1, side, side), max_iter=generations)
    fooled = {"ART": decided(model, torch.from_numpy(theirs.generate(x.numpy()))) != clean}
    for mode in ("su2019", "art"):
        batch = batch_of(x)
        batch.y = torch.from_numpy(clean)
        queries = 400 * (generations + 1)
        attack(model, batch, "one_pixel", mode=mode, queries=queries)
        fooled[mode] = ~batch.open
    assert 4 < fooled["ART"].sum() < n - 4
    for mode in ("su2019", "art"):
        assert (fooled[mode] >= fooled["ART"]).all()
        assert fooled[mode].sum() - fooled["ART"].sum() <= 2

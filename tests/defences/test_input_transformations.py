"""JPEG, bit depth and blur against a transform by hand, NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.defences.bit_depth import bit_depth
from audit.defences.blur import blur, blurred
from audit.defences.jpeg import jpeg, through_jpeg
from audit.defences.tta import tta
from audit.errors import HipauditError
from tests.jpeg_by_hand import jpeg_by_hand
from tests.stresses.promises import small_classifier
from tests.toys import attack, balanced_net, batch_of, classifier_of


class Seen(nn.Module):
    """Remembers what it was shown."""

    def forward(self, x: Tensor) -> Tensor:
        self.shown = x.detach().clone()
        m = x.mean((1, 2, 3))
        return torch.stack([m, -m], dim=1)


def shown(harden, x: Tensor, **params: object) -> Tensor:
    """What the network is shown behind a defence."""
    module = Seen()
    harden(classifier_of(module, *x.shape[-2:], channels=x.shape[1]), **params).predict(x)
    return module.shown


def picture(channels: int = 1, height: int = 45, width: int = 38) -> Tensor:
    noise = np.random.default_rng(5).random((3, channels, height, width))
    smooth = ndimage.gaussian_filter(noise, (0, 0, 1.5, 1.5))
    return torch.from_numpy(
        ((smooth - smooth.min()) / (smooth.max() - smooth.min())).astype(np.float32)
    )


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_the_network_sees_what_a_jpeg_computed_by_hand_leaves(quality: int) -> None:
    x = picture()
    ours = shown(jpeg, x, quality=quality)
    for image, seen in zip(x, ours, strict=True):
        expected = jpeg_by_hand(np.round(image[0].numpy() * 255), quality)
        # libjpeg transforms in whole numbers, so a wave close to a limit may fall otherwise
        off = np.abs(seen[0].numpy() * 255 - expected)
        assert off.mean() <= 0.4
        assert (off <= 1).mean() >= 0.9
        # the compression itself changes more than that
        assert np.abs(expected - image[0].numpy() * 255).mean() >= 0.7


def test_three_equal_channels_are_coded_as_the_grey_image_is_and_colours_keep_their_places() -> (
    None
):
    x = picture()
    grey, colour = shown(jpeg, x), shown(jpeg, x.expand(-1, 3, -1, -1))
    assert (colour - grey).abs().max() <= 2 / 255
    red = torch.tensor([0.8, 0.2, 0.1]).view(1, 3, 1, 1).expand(1, 3, 20, 12)
    assert (shown(jpeg, red) - red).abs().max() <= 3 / 255


def test_bit_depth_rounds_to_the_levels_numpy_makes() -> None:
    x = picture()
    expected = np.round(x.numpy() * 7) / 7
    assert np.abs(shown(bit_depth, x, bits=3).numpy() - expected).max() <= 1e-7
    assert len(np.unique(shown(bit_depth, torch.linspace(0, 1, 256).view(1, 1, 16, 16)))) == 16


def test_an_image_of_8_bits_passes_8_bits_unchanged() -> None:
    x = (picture() * 255).round() / 255
    assert (shown(bit_depth, x, bits=8) - x).abs().max() <= 1e-7


@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.0])
def test_blur_is_the_gaussian_filter_of_scipy_with_the_border_repeated(sigma: float) -> None:
    x = picture(3, 21, 9)
    theirs = ndimage.gaussian_filter(x.numpy(), (0, 0, sigma, sigma), mode="nearest")
    assert np.abs(shown(blur, x, sigma=sigma).numpy() - theirs).max() <= 1e-6


def test_a_flat_image_stays_flat_under_blur_whatever_its_size() -> None:
    for side in (1, 2, 40):
        flat = torch.full((1, 1, side, side), 0.37)
        assert (blurred(flat, 5.0) - flat).abs().max() <= 1e-6


class Linear(nn.Module):
    """Logits (0, w·x): its gradient is w wherever it is asked."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.weight = torch.randn(side, side, generator=torch.Generator().manual_seed(2))

    def forward(self, x: Tensor) -> Tensor:
        score = (x[:, 0] * self.weight).sum((1, 2))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def gradient(hardened: Classifier, x: Tensor) -> Tensor:
    leaf = x.clone().requires_grad_(True)
    (found,) = torch.autograd.grad(hardened.decision_logits(leaf)[:, 1].sum(), leaf)
    return found


@pytest.mark.parametrize("harden", [jpeg, bit_depth])
def test_the_gradient_goes_straight_through_what_has_none(harden) -> None:
    module = Linear(16)
    x = picture(1, 16, 16)
    found = gradient(harden(classifier_of(module, 16, 16)), x)
    assert torch.equal(found, module.weight.expand_as(found))


def test_the_gradient_through_blur_is_that_of_blur() -> None:
    module = Linear(33)
    x = picture(1, 33, 33)
    found = gradient(blur(classifier_of(module, 33, 33), sigma=1.5), x)[0, 0].numpy()
    # away from the border a Gaussian is its own adjoint
    expected = ndimage.gaussian_filter(module.weight.numpy(), 1.5, mode="constant")
    assert np.abs(found - expected)[6:-6, 6:-6].max() <= 1e-5


@pytest.mark.parametrize("harden", [jpeg, bit_depth, blur])
def test_pgd_through_the_transformation_fools_where_it_is_let_through(harden) -> None:
    net, x, _ = balanced_net(6, 24)
    hardened = harden(classifier_of(net, 24, 24))
    batch = batch_of(x)
    batch.y = torch.from_numpy(hardened.decide(hardened.predict(x).logits))
    (found,) = attack(hardened, batch, "pgd", epsilons=(0.1,), steps=10)
    fooled = hardened.decide(hardened.predict(found.images).logits) != batch.y.numpy()
    assert fooled.any(), "with ε of 25 levels on images close to the boundary"


def test_a_pixel_between_two_levels_is_moved_by_less_than_half_a_step() -> None:
    """ε below half a step: only pixels close to a limit may change, and then by a whole step."""
    x = torch.full((1, 1, 8, 8), 5 / 15)
    assert torch.equal(shown(bit_depth, x + 0.4 / 15), shown(bit_depth, x))
    jump = shown(bit_depth, x + 0.6 / 15) - shown(bit_depth, x)
    assert torch.allclose(jump, torch.tensor(1 / 15), atol=1e-6)


def test_a_grey_image_reaches_a_colour_network_grey() -> None:
    x = picture()
    for harden in (jpeg, bit_depth, blur):
        module = Seen()
        way = {"channels": 3, "mean": (0.0,) * 3, "std": (1.0,) * 3}
        classifier = classifier_of(module, 45, 38, channels=3)
        told = {"preparation": classifier.preparation.model_copy(update=way)}
        classifier.description = classifier.description.model_copy(update=told)
        harden(classifier).predict(x)
        assert torch.equal(module.shown[:, 0], module.shown[:, 2])


@pytest.mark.parametrize(
    ("harden", "params"),
    [
        (jpeg, {"quality": 0}),
        (jpeg, {"quality": 7.5}),
        (bit_depth, {"bits": 9}),
        (bit_depth, {"bits": True}),
        (blur, {"sigma": 0}),
        (blur, {"sigma": float("nan")}),
        (blur, {"sigma": 1e9}),  # padding of 32 GB
        (tta, {"scale": 0}),
        (tta, {"scale": float("nan")}),
        (tta, {"shift": 2}),
        (tta, {"angle": float("inf")}),
    ],
)
def test_a_setting_that_means_nothing_is_one_line(harden, params) -> None:
    classifier, _, _ = small_classifier()
    with pytest.raises(HipauditError, match=f"`{next(iter(params))}`"):
        harden(classifier, **params)


def test_jpeg_keeps_pixels_that_are_one_level_everywhere() -> None:
    flat = torch.full((2, 1, 17, 9), 100 / 255)
    assert torch.allclose(through_jpeg(flat, 75), flat, atol=1.01 / 255)

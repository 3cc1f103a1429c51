"""Measures of quality against SciPy, NumPy and counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch.nn import functional as F

from audit.quality.content import content_of
from audit.quality.measures import MEASURES, _blurred, measures, reblur_width
from tests.quality.pictures import as_x, blurred, flattened, moved, scenes


def crete(image: np.ndarray, size: int) -> float:
    """skimage.measure.blur_effect, written out with SciPy, its margin widened to the blur's."""
    margin = size // 2 + 2
    found = []
    for axis in (0, 1):
        soft = ndimage.uniform_filter1d(image.astype(float), size, axis=axis)
        sharp_edges = np.abs(ndimage.sobel(image.astype(float), axis=axis))
        soft_edges = np.abs(ndimage.sobel(soft, axis=axis))
        lost = np.maximum(0, sharp_edges - soft_edges)
        inner = (slice(margin, image.shape[0] - margin), slice(margin, image.shape[1] - margin))
        before, after = sharp_edges[inner].sum(), lost[inner].sum()
        found.append((before - after) / before)
    return max(found)


def test_the_blur_effect_is_cretes() -> None:
    images = np.concatenate([scenes(3, 96), blurred(scenes(3, 96), 0.02)])
    ours = measures(as_x(images), ("blur_effect",))["blur_effect"]
    theirs = [crete(image, reblur_width((96, 96))) for image in images]
    assert ours.numpy() == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("size", [3, 5, 11])
def test_the_comparison_blur_is_the_mean_of_a_row_of_pixels(size: int) -> None:
    grey = as_x(scenes(2, 64))
    for turned, kernel in ((False, (size, 1)), (True, (1, size))):
        padding = kernel[0] // 2, kernel[1] // 2
        expected = F.avg_pool2d(grey, kernel, stride=1, padding=padding)
        assert torch.allclose(_blurred(grey, turned, size), expected, atol=1e-6)


def test_the_comparison_blur_is_eleven_pixels_wide_at_224_and_odd_everywhere() -> None:
    assert reblur_width((224, 224)) == 11  # the default of skimage
    assert all(reblur_width((side, 2 * side)) % 2 for side in range(16, 2000))


def test_the_same_blur_of_the_same_scene_measures_alike_at_two_resolutions() -> None:
    fine = blurred(scenes(6, 512), 0.012)
    coarse = fine.reshape(6, 256, 2, 256, 2).mean((2, 4))
    at_fine, at_coarse = (
        measures(as_x(images), ("blur_effect",))["blur_effect"] for images in (fine, coarse)
    )
    assert (at_fine - at_coarse).abs().max() < 0.05


@pytest.mark.parametrize("name", ["blur_effect", "laplacian_variance", "high_frequency_share"])
def test_every_measure_of_sharpness_follows_every_step_of_blur(name: str) -> None:
    sharp = scenes(4, 128)
    steps = [sharp, *(blurred(sharp, share) for share in (0.004, 0.008, 0.016))]
    found = torch.stack([measures(as_x(step), (name,))[name] for step in steps])
    change = found.diff(dim=0)
    assert (change > 0).all() if name == "blur_effect" else (change < 0).all()


def test_motion_along_one_direction_is_seen_as_blur() -> None:
    sharp = scenes(4, 128)
    before, after = (measures(as_x(i), ("blur_effect",)) for i in (sharp, moved(sharp, 0.06)))
    assert (after["blur_effect"] > before["blur_effect"] + 0.15).all()


def test_brightness_and_contrast_do_not_move_the_blur_effect() -> None:
    sharp = scenes(4, 128)
    before, after = (
        measures(as_x(i), ("blur_effect",))["blur_effect"] for i in (sharp, 0.1 + 0.6 * sharp)
    )
    assert (before - after).abs().max() < 0.01


def test_the_variance_of_the_laplacian_is_scipys() -> None:
    image = scenes(1, 80)[0]
    theirs = ndimage.laplace(image.astype(float))[1:-1, 1:-1].var()
    found = measures(as_x([image]))
    assert float(found["laplacian_variance"]) == pytest.approx(theirs, rel=1e-4)


def test_the_high_frequency_share_is_numpys() -> None:
    image = scenes(1, 80)[0].astype(float)
    window = np.hanning(80)
    power = np.abs(np.fft.fft2((image - image.mean()) * np.outer(window, window))) ** 2
    up = np.fft.fftfreq(80)
    fast = np.hypot(up[:, None], up) > 0.25
    found = float(measures(as_x([image]))["high_frequency_share"])
    assert found == pytest.approx(power[fast].sum() / power.sum(), rel=1e-3)


def test_contrast_deviation_entropy_and_ends_are_numpys() -> None:
    image = np.clip(1.6 * scenes(1, 96)[0] - 0.3, 0, 1)
    eight = np.round(image.astype(float) * 255)
    found = measures(as_x([image]))
    low, high = np.quantile(eight, [0.01, 0.99], method="inverted_cdf")
    assert float(found["contrast"]) == pytest.approx((high - low) / 255)
    assert float(found["standard_deviation"]) == pytest.approx(image.astype(float).std(), rel=1e-4)
    counts = np.bincount(eight.astype(int).ravel(), minlength=256)
    assert float(found["entropy"]) == pytest.approx(stats.entropy(counts, base=2))
    assert float(found["black"]) == pytest.approx((eight == 0).mean())
    assert float(found["white"]) == pytest.approx((eight == 255).mean())


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.06])
def test_planted_noise_is_found_again_within_a_tenth(sigma: float) -> None:
    slope = np.linspace(0.3, 0.7, 128) * np.ones((128, 1))
    noisy = slope + np.random.default_rng(0).normal(0, sigma, slope.shape)
    found = measures(as_x([noisy]))
    told = float(found["noise_share"] * found["standard_deviation"])
    assert told == pytest.approx(sigma, rel=0.1)


def test_noise_alone_is_all_noise_and_a_scene_is_not() -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (2, 96, 96))
    assert (measures(as_x(noise))["noise_share"] > 0.95).all()
    assert (measures(as_x(scenes(3, 96)))["noise_share"] < 0.15).all()


def test_a_border_is_measured_and_kept_out_of_everything_else() -> None:
    image = scenes(1, 96)[0]
    framed = np.zeros((128, 160))
    framed[10:106, 40:136] = image
    whole, inside = measures(as_x([framed])), measures(as_x([image]))
    assert float(whole["border"]) == pytest.approx(1 - 96 * 96 / (128 * 160))
    assert float(inside["border"]) == 0
    for name in ("contrast", "standard_deviation", "entropy", "black", "white"):
        assert float(whole[name]) == pytest.approx(float(inside[name]), abs=1e-6)
    box = content_of(as_x([framed]))
    assert (int(box.top), int(box.bottom), int(box.left), int(box.right)) == (10, 105, 40, 135)


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_an_image_with_nothing_in_it_is_blurred_flat_and_all_border(level: float) -> None:
    found = {k: float(v) for k, v in measures(torch.full((1, 1, 64, 64), level)).items()}
    assert found["blur_effect"] == found["border"] == 1
    assert found["contrast"] == found["entropy"] == found["noise_share"] == 0
    assert found["standard_deviation"] == pytest.approx(0, abs=1e-6)
    assert (found["black"], found["white"]) == (float(level == 0), float(level == 1))


def test_contrast_reduced_to_a_quarter_measures_a_quarter() -> None:
    images = scenes(4, 96)
    before, after = (measures(as_x(i))["contrast"] for i in (images, flattened(images, 0.25)))
    assert (after / before).numpy() == pytest.approx(0.25, abs=0.02)


def test_an_image_measures_the_same_alone_and_in_a_batch_and_grey_as_in_three_channels() -> None:
    x = as_x(scenes(5, 64))
    whole = measures(x)
    assert set(whole) == set(MEASURES)
    for index in range(len(x)):
        alone = measures(x[index : index + 1].expand(1, 3, 64, 64))
        for name in MEASURES:
            assert float(alone[name]) == pytest.approx(
                float(whole[name][index]), rel=1e-5, abs=1e-7
            )

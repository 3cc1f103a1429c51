"""Augmentation: one sampling hits where scipy's does, light keeps its bounds, seeds decide."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from scipy.special import expit, logit
from scipy.stats import kstest

from trainers.pixels.augment import augment, nudge, relight, sample, see
from trainers.pixels.looks import (
    CORNERS,
    gentle_looks,
    geometry,
    homography,
    study_looks,
    warp_matrix,
)


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def apply(matrix, points):
    p = torch.cat([points, torch.ones(len(points), 1)], 1) @ matrix.T
    return p[:, :2] / p[:, 2:]


def test_a_homography_takes_every_source_corner_to_its_target():
    moved = CORNERS + 0.2 * torch.randn(4, 2, generator=draw())
    matrix = homography(moved[None], CORNERS[None])[0]
    torch.testing.assert_close(apply(matrix, moved), CORNERS, atol=1e-5, rtol=1e-5)


def test_a_homography_is_the_one_opencv_solves():
    moved = CORNERS + 0.2 * torch.randn(4, 2, generator=draw(3))
    theirs = cv2.getPerspectiveTransform(moved.numpy(), CORNERS.numpy())
    np.testing.assert_allclose(homography(moved[None], CORNERS[None])[0], theirs, atol=1e-5)


def test_the_symmetric_warp_moves_the_corners_as_the_library_of_the_study_did():
    m0, m1, m2, m3 = 0.1, -0.05, 0.2, -0.15
    matrix = warp_matrix(torch.tensor([[m0, m1, m2, m3]]))[0]
    moved = torch.tensor(
        [[-1 - m3, -1 - m1], [-1 - m2, 1 + m1], [1 + m3, -1 - m0], [1 + m2, 1 + m0]]
    )
    torch.testing.assert_close(apply(matrix, moved), CORNERS, atol=1e-5, rtol=1e-5)


def in_pixels(angle, scale, focus, corners, height, width):
    """The same geometry by hand, in pixels: warp, zoom and rotation about the middle, then the
    shift that keeps the focus, which that library turns in the frame's own units.
    (2, height, width): row, column.
    """
    half = np.array([width / 2, height / 2])
    to_warped = cv2.getPerspectiveTransform(
        (corners * half + half).astype(np.float32), (CORNERS.numpy() * half + half).astype("f4")
    )
    y, x = np.mgrid[:height, :width] + 0.5
    p = np.stack([x, y, np.ones_like(x)], -1) @ to_warped.T
    p = p[..., :2] / p[..., 2:] - half
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    p = p / scale @ turn.T + (turn @ focus) * (1 - 1 / scale) * half + half
    return np.stack([p[..., 1], p[..., 0]]) - 0.5


def smooth(height, width, seed=0):
    return cv2.GaussianBlur(np.random.default_rng(seed).random((height, width)), (5, 5), 0)


@pytest.mark.parametrize(("height", "width"), [(40, 40), (32, 56), (61, 33)])
def test_the_whole_geometry_is_scipys_interpolation_at_points_computed_in_pixels(height, width):
    image = smooth(height, width)
    m = np.array([0.12, -0.2, 0.07, 0.18])
    corners = np.array(
        [[-1 - m[3], -1 - m[1]], [-1 - m[2], 1 + m[1]], [1 + m[3], -1 - m[0]], [1 + m[2], 1 + m[0]]]
    )
    angle, scale, focus = math.radians(9), 1.08, np.array([0.6, -0.9])
    at = in_pixels(angle, scale, focus, corners, height, width)
    theirs = map_coordinates(image, at, order=1, mode="reflect")
    matrix = geometry(
        torch.tensor([angle]), torch.tensor([scale]), torch.tensor(focus[None]).float(),
        torch.tensor(m[None]).float(), torch.tensor([height / width]),
    )  # fmt: skip
    ours = sample(torch.tensor(image[None, None]).float(), None, matrix, height, width)[0, 0]
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_images_of_several_sizes_in_one_batch_are_sampled_as_each_alone():
    images = [torch.tensor(smooth(*size, seed)).float() for seed, size in enumerate(SIZES)]
    batch = torch.full((len(images), 1, 50, 60), 9.0)  # what is beyond an image is never seen
    for out, image in zip(batch, images, strict=True):
        out[0, : image.shape[0], : image.shape[1]] = image
    sizes = torch.tensor([image.shape for image in images])
    looks = study_looks(torch.full((len(images), 2), 24), 24, 24, draw(5))
    together = sample(batch, sizes, looks.matrix, 24, 24)
    for one, matrix, image in zip(together, looks.matrix, images, strict=True):
        at = torch.stack(
            [*torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="xy"),
             torch.ones(24, 24)], -1,
        )  # fmt: skip
        at[..., :2] = (at[..., :2] * 2 + 1) / 24 - 1
        p = (at @ matrix.T).numpy()
        p = p[..., :2] / p[..., 2:]
        x, y = (
            (p[..., 0] + 1) / 2 * image.shape[1] - 0.5, (p[..., 1] + 1) / 2 * image.shape[0] - 0.5
        )  # fmt: skip
        theirs = map_coordinates(image.numpy(), [y, x], order=1, mode="reflect")
        np.testing.assert_allclose(one[0], theirs, atol=2e-4)


SIZES = [(50, 60), (31, 44), (48, 20)]


def test_the_identity_leaves_images_as_they_are():
    x = torch.rand(2, 1, 17, 23, generator=draw())
    eye = torch.eye(3).expand(2, 3, 3)
    torch.testing.assert_close(sample(x, None, eye, 17, 23), x, atol=1e-5, rtol=0)


def test_a_mirror_is_numpys_flip():
    x = torch.rand(1, 1, 12, 12, generator=draw())
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))[None]
    seen = sample(x, None, mirror, 12, 12)
    np.testing.assert_allclose(seen[0, 0], np.flip(x[0, 0].numpy(), 1), atol=1e-5)


def test_without_other_changes_a_crop_is_a_window_of_whole_pixels():
    """A frame of 20 × 31 around an output of 20 × 20: twelve places, all of them drawn."""
    image = torch.rand(1, 1, 20, 31, generator=draw())
    found = set()
    for seed in range(120):
        looks = study_looks(torch.tensor([[20, 31]]), 20, 20, draw(seed), flip=False)
        seen = sample(image, None, looks.crop, 20, 20)[0, 0]
        near = [float((seen - image[0, 0, :, left : left + 20]).abs().max()) for left in range(12)]
        assert min(near) < 1e-4
        found.add(int(np.argmin(near)))
    assert found == set(range(12))


def test_a_padded_image_stays_black_outside_and_is_centred_as_the_audit_centres_it():
    from audit.classifier import prepare_pixels
    from audit.results import Preparation

    image = np.full((10, 20), 0.5, np.float32)
    way = Preparation(height=20, width=20, resize="pad")
    looks = study_looks(torch.tensor([[10, 20]]), 20, 20, draw(2))
    seen = see(torch.tensor(image)[None, None], None, looks, 20, 20, blank_outside=True)[0]
    assert torch.equal(seen > 0, prepare_pixels(image, way) > 0)


def test_light_is_a_shift_and_a_factor_of_the_logit():
    x = np.random.default_rng(0).random((3, 1, 5, 5)).astype(np.float32)
    shift, factor = np.array([0.3, 0.0, -0.4]), np.array([1.2, 0.8, 1.0])
    theirs = expit((logit(x) + shift[:, None, None, None]) * factor[:, None, None, None])
    ours = relight(torch.tensor(x), torch.tensor(shift).float(), torch.tensor(factor).float())
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    ends = relight(torch.tensor([[[[0.0, 1.0]]]]), torch.zeros(1), torch.ones(1))
    np.testing.assert_allclose(ends.flatten(), [1e-7, 1 - 1e-7], atol=1e-6)


def test_magnitudes_and_probabilities_are_those_of_the_recipe():
    n = 4000
    looks = study_looks(torch.full((n, 2), 64), 64, 64, draw(7))
    brightness = torch.sigmoid(looks.shift)
    changed = looks.shift != 0
    assert float(changed.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert kstest(brightness[changed], "uniform", (0.4, 0.2)).pvalue > 0.01
    contrast = looks.factor[looks.factor != 1].log()
    assert len(contrast) / n == pytest.approx(0.75, abs=0.03)
    low, high = math.log(0.8), math.log(1.25)
    assert kstest(contrast, "uniform", (low, high - low)).pvalue > 0.01
    mirrored = torch.linalg.det(looks.matrix) < 0
    assert float(mirrored.float().mean()) == pytest.approx(0.5, abs=0.03)


def test_angle_and_zoom_are_drawn_as_often_and_as_far_as_the_recipe_says(monkeypatch):
    """Without the warp a square's matrix is rotation · zoom: angle and scale can be read off."""
    import trainers.pixels.looks as module

    monkeypatch.setattr(module, "warp_matrix", lambda m: torch.eye(3).expand(len(m), 3, 3))
    n = 4000
    matrix = study_looks(torch.full((n, 2), 64), 64, 64, draw(8), flip=False).matrix
    angle = torch.rad2deg(torch.atan2(matrix[:, 1, 0], matrix[:, 0, 0]))
    turned = angle.abs() > 1e-4
    assert float(turned.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert kstest(angle[turned], "uniform", (-10, 20)).pvalue > 0.01
    scale = 1 / torch.linalg.det(matrix).sqrt()
    zoomed = scale > 1 + 1e-5
    assert float(zoomed.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert kstest(scale[zoomed], "uniform", (1, 0.1)).pvalue > 0.01


def test_the_gentle_way_shifts_by_at_most_four_per_cent():
    matrix = gentle_looks(500, draw()).matrix
    assert float(matrix[:, :2, 2].abs().max()) <= 0.08  # of a frame that is 2 wide
    assert torch.equal(matrix[:, :2, :2].abs(), torch.eye(2).expand(500, 2, 2))


def test_augmenting_keeps_shape_range_and_depends_on_the_seed_only():
    x = torch.rand(6, 1, 20, 16, generator=draw())
    for change in (augment, nudge):
        out = change(x, draw(1))
        assert out.shape == x.shape
        assert float(out.min()) >= 0
        assert float(out.max()) <= 1
        assert torch.equal(out, change(x, draw(1)))
        assert not torch.equal(out, change(x, draw(2)))


def test_a_part_of_a_batch_is_seen_as_it_is_within_the_whole():
    x = torch.rand(6, 1, 20, 16, generator=draw())
    looks = study_looks(torch.tensor([[20, 16]]).expand(6, 2), 20, 16, draw(4))
    whole = see(x, None, looks, 20, 16)
    part = see(x[2:5], None, looks.of(slice(2, 5)), 20, 16)
    torch.testing.assert_close(whole[2:5], part, atol=1e-6, rtol=0)

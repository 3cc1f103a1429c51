"""Augmentation: homographies hit their corners, lighting keeps its bounds, seeds decide."""

from __future__ import annotations

import numpy as np
import torch

from trainers.pixels.augment import (
    CORNERS,
    _relight,
    _sample,
    augment,
    homography,
    nudge,
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


def test_the_symmetric_warp_moves_the_corners_as_the_library_of_the_study_did():
    m0, m1, m2, m3 = 0.1, -0.05, 0.2, -0.15
    matrix = warp_matrix(torch.tensor([[m0, m1, m2, m3]]))[0]
    moved = torch.tensor(
        [[-1 - m3, -1 - m1], [-1 - m2, 1 + m1], [1 + m3, -1 - m0], [1 + m2, 1 + m0]]
    )
    torch.testing.assert_close(apply(matrix, moved), CORNERS, atol=1e-5, rtol=1e-5)


def test_the_identity_leaves_images_as_they_are():
    x = torch.rand(2, 1, 17, 23, generator=draw())
    torch.testing.assert_close(_sample(x, torch.eye(3).expand(2, 3, 3)), x, atol=1e-5, rtol=0)


def test_a_mirror_is_numpys_flip():
    x = torch.rand(1, 1, 12, 12, generator=draw())
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))[None]
    np.testing.assert_allclose(_sample(x, mirror)[0, 0], np.flip(x[0, 0].numpy(), 1), atol=1e-5)


def test_lighting_stays_within_what_brightness_and_contrast_allow():
    x = torch.full((4000, 1, 1, 1), 0.5)
    lit = _relight(x, draw())
    logit = torch.logit(lit.flatten())
    bound = np.log(0.6 / 0.4) * 1.25
    assert float(logit.abs().max()) <= bound + 1e-4
    kept = float((logit.abs() < 1e-4).float().mean())
    assert abs(kept - 0.25) < 0.03  # brightness is left out for a quarter; grey has no contrast


def test_augmenting_keeps_shape_range_and_depends_on_the_seed_only():
    x = torch.rand(6, 1, 20, 16, generator=draw())
    for change in (augment, nudge):
        out = change(x, draw(1))
        assert out.shape == x.shape
        assert float(out.min()) >= 0
        assert float(out.max()) <= 1
        assert torch.equal(out, change(x, draw(1)))
        assert not torch.equal(out, change(x, draw(2)))

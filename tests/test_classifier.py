"""Preparation against Pillow and by hand; grey stays grey."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from doubles import Brightness, cases_of, classifier_of
from PIL import Image
from torch import nn

from audit.classifier import prepare_pixels
from audit.results import Preparation


@pytest.mark.parametrize(("height", "width"), [(448, 358), (100, 300), (60, 40)])
@pytest.mark.parametrize("resize", ["squish", "crop"])
def test_resizing_agrees_with_pillow(height, width, resize):
    pixels = np.random.default_rng(0).random((height, width), dtype=np.float32)
    ours = prepare_pixels(pixels, Preparation(height=64, width=64, resize=resize))[0].numpy()
    ratio = 64 / min(height, width)
    size = (64, 64) if resize == "squish" else (round(width * ratio), round(height * ratio))
    theirs = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    top, left = (theirs.shape[0] - 64) // 2, (theirs.shape[1] - 64) // 2
    np.testing.assert_allclose(ours, theirs[top : top + 64, left : left + 64], atol=1e-5)


def test_padding_keeps_everything_and_adds_zeros():
    x = prepare_pixels(
        np.ones((50, 100), np.float32), Preparation(height=64, width=64, resize="pad")
    )
    assert x.shape == (1, 64, 64)
    assert x.sum() == pytest.approx(32 * 64)


def test_grey_enters_as_one_channel_and_colour_as_three():
    way = Preparation(height=8, width=8)
    assert prepare_pixels(np.zeros((9, 9), np.float32), way).shape == (1, 8, 8)
    assert prepare_pixels(np.zeros((9, 9, 3), np.float32), way).shape == (3, 8, 8)


def test_normalisation_happens_inside_with_the_recorded_numbers():
    class Keep(nn.Module):
        def forward(self, x):
            self.seen = x
            return torch.zeros(len(x), 2)

    keep = Keep()
    way = Preparation(height=8, width=8, channels=3, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    classifier_of(keep, preparation=way).predict(torch.full((1, 1, 8, 8), 0.6))
    np.testing.assert_allclose(keep.seen[0, :, 0, 0], [1.0, 1.6, 0.15], rtol=1e-6)


def test_a_derived_classifier_leaves_the_first_one_alone_and_counts_with_it():
    plain = classifier_of(Brightness())
    twice = plain.derived(lambda x: plain.logits(x) + plain.logits(x))
    x = plain.prepare(cases_of([0.7])[0])[None]
    torch.testing.assert_close(twice.predict(x).logits, 2 * plain.predict(x).logits)
    assert plain.forwards == 3

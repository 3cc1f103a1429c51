"""Scoring pixels: the same logits as images with the pixels put in by hand."""

from __future__ import annotations

import torch
from torch import nn

from audit.speed.pixels import pixel_scorer

SIZE = 12


class Seen:
    """A model that is no Classifier; keeps the last images it was shown."""

    has_gradients = True
    classes = ("a", "b")

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 2))
        self.images = torch.zeros(0)

    def decision_logits(self, x):
        self.images = x.clone()
        return self.net(x)


def drawn(candidates, pixels, seed=1):
    generator = torch.Generator().manual_seed(seed)
    rows, cols = torch.randint(0, SIZE, (2, candidates, pixels), generator=generator)
    return rows, cols, torch.rand(candidates, pixels, 3, generator=generator)


def by_hand(x, rows, cols, values):
    images = [x.clone() for _ in rows]
    for image, r, c, v in zip(images, rows.tolist(), cols.tolist(), values, strict=True):
        for row, col, value in zip(r, c, v, strict=True):
            image[:, row, col] = value
    return torch.stack(images)


def test_the_model_sees_exactly_the_images_made_by_hand():
    model, x = Seen(), torch.rand(3, SIZE, SIZE)
    places = drawn(7, 3)
    pixel_scorer(model, x)(*places)
    assert torch.equal(model.images, by_hand(x, *places))


def test_of_places_that_repeat_the_later_wins():
    model, x = Seen(), torch.rand(3, SIZE, SIZE)
    rows, cols, values = drawn(5, 4)
    rows[:], cols[:] = 2, 3
    pixel_scorer(model, x)(rows, cols, values)
    assert torch.equal(model.images[:, :, 2, 3], values[:, -1])


def test_the_buffer_is_restored_between_calls_of_any_size():
    model, x = Seen(), torch.rand(3, SIZE, SIZE)
    score = pixel_scorer(model, x)
    for seed, candidates in enumerate((3, 9, 1, 9)):
        places = drawn(candidates, 2, seed)
        score(*places)
        assert torch.equal(model.images, by_hand(x, *places))


def test_logits_come_as_float32_without_gradient_and_the_image_stays():
    model, x = Seen(), torch.rand(3, SIZE, SIZE)
    before = x.clone()
    logits = pixel_scorer(model, x)(*drawn(4, 1))
    assert logits.dtype == torch.float32
    assert not logits.requires_grad
    assert torch.equal(x, before)


def test_the_buffer_is_restored_even_when_the_model_fails():
    model, x = Seen(), torch.rand(3, SIZE, SIZE)
    score = pixel_scorer(model, x)
    net, model.net = model.net, nn.Linear(1, 1)
    try:
        score(*drawn(4, 1))
    except RuntimeError:
        model.net = net
    places = drawn(4, 1, seed=9)
    score(*places)
    assert torch.equal(model.images, by_hand(x, *places))

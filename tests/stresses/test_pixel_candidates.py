"""Candidates and how several searches are answered at once, against one image at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logit, softmax

from audit.stresses.pixel_candidates import Candidates, image_of, log_odds, margins
from audit.stresses.pixel_queries import Search, answered
from tests.toys import balanced_net, classifier_of

SIDE = 12


def one(places: list[int], levels: list[int]) -> Candidates:
    return Candidates(np.array([places]), np.array(levels).reshape(1, -1, 1))


def key(places: list[int], levels: list[int]) -> bytes:
    return one(places, levels).keys()[0]


def test_where_places_repeat_the_later_pixel_is_seen() -> None:
    x = torch.full((1, 2, 3), 0.5)
    image = image_of(x, one([4, 1, 4], [0, 255, 51]))
    assert image.flatten().tolist() == pytest.approx([0.5, 1.0, 0.5, 0.5, 0.2, 0.5])


def test_candidates_have_equal_keys_when_they_make_the_same_image_and_only_then() -> None:
    assert key([4, 1], [9, 7]) == key([1, 4], [7, 9])
    assert key([4, 4], [9, 7]) == key([4, 4], [0, 7])
    assert key([4, 4], [9, 7]) != key([4, 4], [7, 9])
    assert key([4, 1], [9, 7]) != key([4, 1], [7, 9])
    colours = Candidates(
        np.array([[3], [3], [3]]), np.array([[[1, 2, 3]], [[1, 2, 4]], [[1, 2, 3]]])
    )
    first, second, third = colours.keys()
    assert first == third != second


def test_log_odds_are_the_logit_of_the_probability() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, 4))
    for target in range(4):
        expected = logit(softmax(logits, axis=1)[:, target])
        np.testing.assert_allclose(log_odds(logits, target), expected, atol=1e-9)
        decided_otherwise = logits.argmax(1) != target
        assert ((margins(logits, target) < 0) == decided_otherwise).all()


def test_log_odds_do_not_saturate_where_the_probability_is_one() -> None:
    sure = log_odds(np.array([[800.0, 0.0], [900.0, 0.0]]), 0)
    np.testing.assert_allclose(sure, [800.0, 900.0])


def asking(blocks: list[Candidates]) -> Search[list[np.ndarray]]:
    """Asks for one block after the other and returns all answers."""
    answers: list[np.ndarray] = []
    for block in blocks:
        answers += [(yield block)]
    return answers


@pytest.mark.parametrize("block", [2, 16])  # several images in one batch; a scorer of its own
@pytest.mark.parametrize("channels", [1, 3])
def test_every_search_gets_the_logits_of_its_own_images_in_its_own_order(
    block: int, channels: int
) -> None:
    net, x, _ = balanced_net(7, SIDE, seed=4)
    x = x.expand(-1, channels, -1, -1).contiguous()
    x[:, 0] *= 0.7
    model, draw = classifier_of(_Grey(net), SIDE, SIDE, channels), np.random.default_rng(1)
    asked = []
    for case in range(len(x)):
        sizes = [(block, 3)] * (1 + case % 3)
        places = [draw.integers(0, SIDE * SIDE, size) for size in sizes]
        levels = [draw.integers(0, 256, (*size, channels)) for size in sizes]
        asked.append([Candidates(p, v) for p, v in zip(places, levels, strict=True)])
        asked[-1].append(asked[-1][0])  # asked again: looked up
    before = model.forwards
    told = answered("test", model, x, [asking(blocks) for blocks in asked], block=block)
    assert model.forwards - before == sum(block * (len(blocks) - 1) for blocks in asked)
    for image, blocks, answers in zip(x, asked, told, strict=True):
        assert len(answers) == len(blocks)
        for some, answer in zip(blocks, answers, strict=True):
            made = [image_of(image, some.part(np.array([i]))) for i in range(len(some))]
            expected = torch.cat([model.decision_logits(each[None]) for each in made])
            np.testing.assert_allclose(answer, expected.double().numpy(), atol=1e-4)


class _Grey(torch.nn.Module):
    """The toy network for colour: it sees a weighted mean of the channels."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = torch.arange(1.0, 1 + x.shape[1]).view(1, -1, 1, 1)
        logits: torch.Tensor = self.net((x * weights / weights.sum()).sum(1, keepdim=True))
        return logits

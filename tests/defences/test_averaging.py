"""One answer out of many looks: how many pass through the network at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, logsumexp
from torch import Tensor

from audit.defences.averaging import average
from audit.speed.batch_size import LARGEST
from tests.stresses.promises import small_classifier

TOGETHER = LARGEST["cpu"]


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images of `small_classifier` are as large as is usual."""
    monkeypatch.setattr("audit.defences.averaging.USUAL", 24 * 24)


@pytest.mark.parametrize("side", [24, 48])
@pytest.mark.parametrize("images", [1, 3, TOGETHER, TOGETHER + 5])
def test_looks_share_a_pass_up_to_the_bound_and_are_made_when_their_turn_comes(
    images: int, side: int
) -> None:
    classifier, x, _ = small_classifier()
    x = x[:1, :, :1, :1].expand(images, -1, side, side)
    most = TOGETHER * 24 * 24 // (side * side)
    asked: list[int] = []
    waited: list[int] = []
    made = [0]

    def looks() -> Iterator[Tensor]:
        for step in range(7):
            made[0] += images
            yield (x + step / 100).clamp(0, 1)

    def forward(seen: Tensor) -> Tensor:
        asked.append(len(seen))
        waited.append(made[0] - sum(asked))  # made already, though it is not their turn
        return classifier.logits(seen)

    told = average(classifier.derived(forward), looks())
    each = [log_softmax(classifier.predict(one).logits.double().numpy(), axis=1) for one in looks()]
    wanted = logsumexp(each, axis=0) - np.log(7)
    assert np.abs(told.detach().numpy() - wanted).max() <= 1e-6
    assert sum(asked) == 7 * images
    assert max(asked) <= max(most, images)
    assert len(asked) == -(-7 // max(1, most // images))  # as few passes as that allows
    assert waited == [0] * len(asked)


def test_the_gradient_is_the_mean_over_looks_that_share_a_pass_and_those_that_do_not() -> None:
    classifier, x, _ = small_classifier()
    leaf = x[:2].clone().requires_grad_(True)
    shifts = [step / 50 for step in range(TOGETHER)]  # two passes at least
    average(classifier, (leaf + s for s in shifts))[:, 0].sum().backward()
    other = x[:2].clone().requires_grad_(True)
    shares = torch.stack([classifier.logits(other + s).softmax(1) for s in shifts]).mean(0)
    shares[:, 0].log().sum().backward()
    assert leaf.grad is not None
    assert other.grad is not None
    assert (leaf.grad - other.grad).abs().max() <= 1e-5 * other.grad.abs().max()

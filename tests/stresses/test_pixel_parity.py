"""ART's `PixelAttack` beside ours: the same on planted pixels, and where it counts otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from tests.toys import (
    FooledByPixel,
    attack,
    balanced_net,
    batch_of,
    classifier_of,
    decided,
)

pytest.importorskip("art")
H, W, COLUMN, ROW = 8, 10, 7, 3


@pytest.fixture(autouse=True)
def _numpy_seeded() -> Iterator[None]:
    """ART's evolution draws from NumPy's global generator and leaves it changed."""
    before = np.random.get_state()  # noqa: NPY002 - the global generator is ART's
    np.random.seed(0)  # noqa: NPY002 - as above
    yield
    np.random.set_state(before)  # noqa: NPY002 - as above


def art_pixel(module: torch.nn.Module, shape: tuple[int, ...], **params: Any) -> Any:
    from art.attacks.evasion import PixelAttack
    from art.estimators.classification import PyTorchClassifier

    target = PyTorchClassifier(
        model=module,
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=shape,
        nb_classes=2,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    return PixelAttack(target, es=1, **params)


@pytest.mark.parametrize(("pixels", "fooled"), [(1, False), (3, True)])
def test_where_three_pixels_are_needed_art_and_we_need_three(pixels: int, fooled: bool) -> None:
    toy = FooledByPixel(COLUMN, ROW, H, W)
    toy.weight *= 0.7
    model, x = classifier_of(toy, H, W), torch.zeros(2, 1, H, W)
    theirs = art_pixel(toy, (1, H, W), th=pixels, max_iter=6).generate(x.numpy())
    assert (decided(model, torch.from_numpy(theirs)) == 0).all() == fooled
    batch = batch_of(x)
    attack(model, batch, "one_pixel", mode="art", pixels=pixels, queries=2800)
    assert (not batch.open.any()) == fooled


class Counting(FooledByPixel):
    """Fooled by a bright pixel anywhere in the left half; counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(0, 0, H, W)
        self.weight[:] = 0.0
        self.weight[:, : W // 2] = 2.0
        self.asked = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked += len(x)
        return super().forward(x)


@pytest.mark.parametrize("mode", ["su2019", "art"])
def test_trap_art_looks_for_success_only_after_two_generations(mode: str) -> None:
    x = torch.zeros(1, 1, H, W)
    theirs = Counting()
    found = art_pixel(theirs, (1, H, W), th=1, max_iter=3).generate(x.numpy())
    assert decided(classifier_of(Counting(), H, W), torch.from_numpy(found)).tolist() == [0]
    assert theirs.asked > 2 * 390  # its population is the largest multiple of 3 under 400
    (altered,) = attack(classifier_of(Counting(), H, W), batch_of(x), "one_pixel", mode=mode)
    assert altered.queries is not None
    assert altered.queries[0] < 40  # one draw in two or three fools: a hit among 40 is sure


def test_trap_art_hands_back_images_it_could_not_fool_slightly_changed() -> None:
    toy = FooledByPixel(COLUMN, ROW, H, W)
    toy.weight *= 0.03  # nothing fools it
    x = torch.rand(1, 1, H, W, generator=torch.Generator().manual_seed(4)).numpy()
    found = art_pixel(toy, (1, H, W), th=1, max_iter=1).generate(x)
    assert (found != x).sum() > 1  # more places than the one it was allowed
    np.testing.assert_allclose(found, x, atol=1e-6)


@pytest.mark.slow
def test_at_an_equal_budget_our_art_mode_fools_no_fewer_images_than_art() -> None:
    side, n, generations = 12, 40, 3
    net, x, _ = balanced_net(n, side, seed=5)
    model = classifier_of(net, side, side)
    clean = decided(model, x)
    found = art_pixel(net, (1, side, side), th=1, max_iter=generations).generate(x.numpy())
    theirs = decided(model, torch.from_numpy(found)) != clean
    batch = batch_of(x)
    batch.y = torch.from_numpy(clean)
    attack(model, batch, "one_pixel", mode="art", queries=400 * (generations + 1))
    ours = ~batch.open
    assert 5 < theirs.sum() < n - 5
    only_theirs, either = int((theirs & ~ours).sum()), int((theirs != ours).sum())
    # exact McNemar: no evidence that ART alone fools more of the discordant images than we do
    assert either == 0 or binomtest(only_theirs, either, 0.5, "greater").pvalue > 0.05
    assert only_theirs <= 1

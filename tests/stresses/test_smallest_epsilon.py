"""The smallest ε found, where it is known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audit.errors import HipauditError
from audit.stresses.registry import Altered, get_stress
from tests.stresses.promises import batch_of, small_classifier
from tests.toys import Unmoved, balanced_net, classifier_of

MOST, RESOLUTION = 16 / 255, 1 / 2040


def searched(classifier, x: Tensor, y: Tensor, **params) -> Altered:
    chosen = get_stress("smallest_epsilon")
    batch = batch_of(x, y, range(len(x)), "smallest_epsilon")
    (altered,) = chosen.perturb(classifier, batch, **chosen.check(params))
    return altered


class Linear(nn.Module):
    """Decides by w·x + b, so an image flips at exactly ε = |margin| / ‖w‖₁ in its interior."""

    def __init__(self, weight: np.ndarray) -> None:
        super().__init__()
        self.weight = torch.from_numpy(weight.astype(np.float32))
        self.bias = -0.5 * float(weight.sum())

    def forward(self, x: Tensor) -> Tensor:
        score = (x[:, 0] * self.weight).sum((1, 2)) + self.bias
        return torch.stack([-score / 2, score / 2], 1)


def planted() -> tuple[Linear, Tensor, Tensor, np.ndarray]:
    """Images about mid grey, with margins planted by moving them along the weights' sign."""
    rng = np.random.default_rng(0)
    net = Linear(rng.normal(size=(12, 12)))
    sign = np.sign(net.weight.numpy())
    exact = np.array([0.4, 1.7, 3.0, 6.3, 9.9, 15.2, 20.0]) / 255
    side = np.array([1, -1, 1, -1, 1, -1, 1])
    x = 0.5 + (side * exact)[:, None, None] * sign
    y = torch.from_numpy((side > 0).astype(np.int64))
    return net, torch.from_numpy(x[:, None].astype(np.float32)), y, exact


@pytest.mark.parametrize("attack", ["fgsm", "pgd", "apgd"])
def test_on_a_linear_model_it_is_the_margin_over_the_l1_norm_of_the_weights(attack) -> None:
    net, x, y, exact = planted()
    score = (x[:, 0].double() * net.weight.double()).sum((1, 2)) + net.bias
    by_formula = (score.abs() / net.weight.double().abs().sum()).numpy()
    assert by_formula == pytest.approx(exact, abs=1e-6)
    altered = searched(classifier_of(net, 12, 12), x, y, attack=attack)
    told = [f.get("epsilon", math.inf) for f in altered.found]
    inside = exact < MOST
    gap = np.array(told)[inside] - exact[inside]
    assert (gap > -1e-5).all()
    assert (gap <= RESOLUTION + 1e-4).all()  # a decision must be clear of the boundary
    assert altered.found[-1] == {"above": MOST}
    assert (altered.images - x).flatten(1).abs().amax(1).numpy()[inside] == pytest.approx(
        np.array(told)[inside], abs=1e-6
    )


def test_every_image_said_to_fool_does_and_the_others_do_not_at_the_maximum() -> None:
    net, x, y = balanced_net(16, 32)
    classifier = classifier_of(net, 32, 32)
    altered = searched(classifier, x, y, max_epsilon=2 / 255, resolution=1 / 4080)
    wrong = classifier.decide(classifier.predict(altered.images).logits) != y.numpy()
    assert wrong.tolist() == ["epsilon" in f for f in altered.found]
    assert 0 < wrong.sum() < 16


class Window(nn.Module):
    """Fooled between 0.5 + 3 and 0.5 + 7 levels and again from 14 on: not monotone."""

    def forward(self, x: Tensor) -> Tensor:
        d = 255 * (x.mean((1, 2, 3)) - 0.5)
        near = torch.minimum(d - 3, 7 - d)
        fooled = torch.maximum(near, d - 14)
        return torch.stack([fooled, torch.zeros_like(fooled)], 1)


def test_a_smaller_radius_that_fools_is_not_hidden_by_a_larger_one_that_does_not() -> None:
    x, y = torch.full((1, 1, 4, 4), 0.5), torch.tensor([1])
    (told,) = searched(classifier_of(Window(), 4, 4), x, y, sweep=8).found
    assert told["epsilon"] == pytest.approx(3 / 255, abs=RESOLUTION + 1e-4)
    (coarse,) = searched(classifier_of(Window(), 4, 4), x, y, sweep=1).found
    assert coarse["epsilon"] == pytest.approx(14 / 255, abs=RESOLUTION + 1e-4)


def test_attacking_anew_never_finds_a_larger_radius_than_the_gradient_alone() -> None:
    net, x, y = balanced_net(12, 32)
    classifier = classifier_of(net, 32, 32)
    settings = {"max_epsilon": 4 / 255, "resolution": 1 / 4080}
    alone, anew = (
        np.array([f.get("epsilon", math.inf) for f in searched(classifier, x, y, **p).found])
        for p in (settings, {**settings, "attack": "pgd"})
    )
    assert (anew <= alone).all()
    assert (anew < alone).any()


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_it_spends_the_forwards_it_reports_and_no_more_than_it_is_priced_at(attack) -> None:
    classifier, x, y = small_classifier()
    before = classifier.forwards
    settings = {"attack": attack, "steps": 3}
    altered = searched(classifier, x, y, **settings)
    assert altered.queries is not None
    assert sum(altered.queries) == classifier.forwards - before
    chosen = get_stress("smallest_epsilon")
    assert max(altered.queries) <= chosen.cost(chosen.check(settings))


def test_a_model_that_nothing_fools_is_told_as_above_the_maximum() -> None:
    x, y = torch.full((2, 1, 4, 4), 0.5), torch.tensor([1, 1])
    altered = searched(classifier_of(Unmoved(), 4, 4), x, y, attack="pgd", steps=2)
    assert list(altered.found) == [{"above": MOST}] * 2


@pytest.mark.parametrize(
    ("params", "what"),
    [
        ({"attack": "pdg"}, "attack"),
        ({"max_epsilon": 0.0}, "max_epsilon"),
        ({"resolution": 0.0}, "resolution"),
        ({"resolution": 0.5}, "resolution"),
        ({"sweep": 0}, "sweep"),
    ],
)
def test_a_slip_in_a_parameter_is_refused(params, what) -> None:
    classifier, x, y = small_classifier()
    with pytest.raises(HipauditError, match=what):
        searched(classifier, x, y, **params)

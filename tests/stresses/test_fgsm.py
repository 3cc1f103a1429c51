"""FGSM from one gradient against stock ART, foolbox and a linear model worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audit.stresses.registry import Altered, get_stress
from tests.stresses.promises import batch_of, small_classifier
from tests.toys import balanced_net, classifier_of

EPSILONS = (1 / 255, 2 / 255, 4 / 255, 8 / 255)


def sweep(classifier, x: Tensor, y: Tensor, epsilons=EPSILONS) -> list[Altered]:
    batch = batch_of(x, y, range(len(x)), "fgsm")
    return list(get_stress("fgsm").perturb(classifier, batch, epsilons=epsilons))


def test_every_radius_equals_stock_art_bit_for_bit() -> None:
    from art.attacks.evasion import FastGradientMethod
    from art.estimators.classification import PyTorchClassifier

    net, x, y = balanced_net(8, 32)
    stock = PyTorchClassifier(
        net, nn.CrossEntropyLoss(), (1, 32, 32), 2, clip_values=(0.0, 1.0), device_type="cpu"
    )
    ours = sweep(classifier_of(net, 32, 32), x, y)
    for epsilon, altered in zip(EPSILONS, ours, strict=True):
        attack = FastGradientMethod(stock, eps=epsilon, eps_step=epsilon)
        theirs = attack.generate(x.numpy(), y.numpy())
        assert np.array_equal(altered.images.numpy(), theirs)


def test_images_and_robust_accuracy_agree_with_foolbox() -> None:
    import foolbox

    net, x, y = balanced_net(24, 32)
    classifier = classifier_of(net, 32, 32)
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    # their radii may differ from ours in the last bit, so a case on the boundary would differ
    _, theirs, fooled = foolbox.attacks.FGSM(random_start=False)(
        model, x, y, epsilons=list(EPSILONS)
    )
    robust = []
    for altered, image, success in zip(sweep(classifier, x, y), theirs, fooled, strict=True):
        assert (altered.images - image).abs().max() <= 1e-6
        right = classifier.decide(classifier.predict(altered.images).logits) == y.numpy()
        assert right.tolist() == (~success).tolist()
        robust.append(right.mean())
    assert robust[0] > robust[-1]


class Linear(nn.Module):
    """Margin a·x + b with both signs and zeros in a, so that the best step is known."""

    def __init__(self, weights: Tensor, bias: float) -> None:
        super().__init__()
        self.weights, self.bias = weights, bias

    def forward(self, x: Tensor) -> Tensor:
        m = (x.flatten(1) * self.weights).sum(1) + self.bias
        return torch.stack([-m / 2, m / 2], dim=1)


def test_on_a_linear_model_the_margin_falls_by_epsilon_times_the_l1_norm() -> None:
    weights = torch.tensor([3.0, -1.0, 0.0, 2.0])
    x = torch.full((1, 1, 2, 2), 0.5)
    classifier = classifier_of(Linear(weights, bias=-1.95), 2, 2)  # margin 0.05
    for altered in sweep(classifier, x, torch.tensor([1]), (0.005, 0.01)):
        z = classifier.predict(altered.images).logits
        fall = 0.05 - float(z[0, 1] - z[0, 0])
        assert fall == pytest.approx(6 * altered.variant["epsilon"], abs=1e-5)
    first, second = sweep(classifier, x, torch.tensor([1]), (0.008, 0.009))  # 0.05 / 6 = 0.00833
    said = [classifier.decide(classifier.predict(a.images).logits)[0] for a in (first, second)]
    assert said == [1, 0]


def test_a_sweep_costs_one_forward_per_image_however_many_radii() -> None:
    classifier, x, y = small_classifier()
    before = classifier.forwards
    sweep(classifier, x, y, [e / 255 for e in range(1, 9)])
    assert classifier.forwards - before == len(x)


def test_a_flat_gradient_is_told_for_the_images_it_concerns() -> None:
    class FlatAbove(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            m = x.mean((1, 2, 3)).clamp(max=0.5)
            return torch.stack([-m, m], dim=1)

    x = torch.stack([torch.full((1, 4, 4), 0.4), torch.full((1, 4, 4), 0.6)])
    altered = sweep(classifier_of(FlatAbove(), 4, 4), x, torch.tensor([1, 1]))[0]
    assert list(altered.found) == [{}, {"zero_gradient": True}]


def test_epsilon_is_measured_in_pixels_whatever_the_normalisation() -> None:
    classifier, x, y = small_classifier()  # ImageNet mean and standard deviation inside
    assert classifier.preparation.std != (1.0, 1.0, 1.0)
    for altered in sweep(classifier, x, y):
        moved = (altered.images - x).abs()[(x > 0.05) & (x < 0.95)]
        moved = moved[moved > 0].numpy()  # the last row and column are never looked at
        assert len(moved) > 0.9 * x.numel()
        assert moved == pytest.approx(altered.variant["epsilon"], abs=1e-6)


def test_three_classes_are_attacked_on_the_true_one() -> None:
    import foolbox

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 3)).eval()
    x = torch.rand(5, 1, 8, 8)
    y = net(x).argmax(1)
    classifier = classifier_of(net, 8, 8)
    told = {"classes": ("a", "b", "c"), "positive_class": "b"}
    classifier.description = classifier.description.model_copy(update=told)
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    theirs = foolbox.attacks.FGSM(random_start=False)(model, x, y, epsilons=8 / 255)[0]
    ours = sweep(classifier, x, y, (8 / 255,))[0].images
    assert (ours - theirs).abs().max() <= 1e-6

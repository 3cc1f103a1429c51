"""A surrogate speaks of the audited model's pixels and classes, whatever its own are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from doubles import Brightness, classifier_of
from torch import Tensor, nn
from torch.nn import functional as F

from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.surrogates import as_surrogate, named
from tests.toys import balanced_net
from tests.toys import classifier_of as toy_of


class Weighted(nn.Module):
    """(0, w·x) for images of one size."""

    def __init__(self, side: int) -> None:
        super().__init__()
        w = torch.randn(side, side, generator=torch.Generator().manual_seed(4))
        self.register_buffer("w", w)

    def forward(self, x: Tensor) -> Tensor:
        score = (x[:, 0] * self.w).sum((1, 2))
        return torch.stack([torch.zeros_like(score), score], dim=1)


def images(side: int, n: int = 3) -> Tensor:
    rng = np.random.default_rng(1)
    return torch.from_numpy(rng.random((n, 1, side, side)).astype(np.float32))


def test_a_surrogate_of_another_size_sees_the_image_resized_to_its_own() -> None:
    module, x = Weighted(12), images(20)
    seen = as_surrogate(toy_of(module, 12, 12), toy_of(Weighted(20), 20, 20))
    small = F.interpolate(x, size=(12, 12), mode="bilinear", antialias=True).clamp(0, 1)
    expected = (small[:, 0] * module.w).sum((1, 2))
    assert (seen.predict(x).logits[:, 1] - expected).abs().max() <= 1e-5
    assert seen.preparation.height == 20, "cases are prepared as the audited model sees them"


def test_its_gradient_is_in_the_pixels_of_the_audited_model() -> None:
    module, x = Weighted(12), images(20).requires_grad_(True)
    seen = as_surrogate(toy_of(module, 12, 12), toy_of(Weighted(20), 20, 20))
    (found,) = torch.autograd.grad(seen.decision_logits(x)[0, 1], x)
    assert found.shape == x.shape
    step = 1e-3 * images(20).flip(0)
    change = seen.predict(x.detach() + step).logits - seen.predict(x.detach()).logits
    assert float((found * step).sum()) == pytest.approx(float(change[0, 1]), rel=1e-2)


def test_classes_in_another_order_come_in_the_audited_order() -> None:
    ours = classifier_of(Brightness())
    theirs = classifier_of(Brightness(), classes=("normal", "fracture"))
    seen, x = as_surrogate(theirs, ours), images(8)
    assert seen.classes == ours.classes
    assert torch.equal(seen.predict(x).logits, theirs.predict(x).logits.flip(1))
    assert seen.targets([]).shape == (0,)


def test_it_keeps_its_own_threshold() -> None:
    ours = classifier_of(Brightness())
    theirs = classifier_of(Brightness(), threshold=0.9, classes=("normal", "fracture"))
    seen = as_surrogate(theirs, ours)
    for level in (0.49, 0.55, 0.7, 0.9):
        x = torch.full((1, 1, 8, 8), level)
        # Brightness says class 0 for bright images: "normal" among its own classes
        said = theirs.classes[int(theirs.decide(theirs.predict(x).logits)[0])]
        assert ours.classes[int(seen.decision_logits(x).argmax(1)[0])] == said


def test_other_classes_or_no_gradients_are_one_line() -> None:
    ours = classifier_of(Brightness())
    with pytest.raises(HipauditError, match="classes fracture, normal, but found cat, dog"):
        as_surrogate(
            classifier_of(Brightness(), classes=("cat", "dog"), positive_class="dog"), ours
        )
    with pytest.raises(HipauditError, match="with gradients"):
        as_surrogate(classifier_of(Brightness(), gradients=False), ours)


def test_names_come_from_the_descriptions_and_are_unique() -> None:
    ours = classifier_of(Brightness())
    others = [classifier_of(Brightness(steep=s), name="resnet18") for s in (1.0, 2.0, 3.0)]
    found = named([*others, classifier_of(Brightness(steep=4.0), name="undefended")], ours)
    assert list(found) == ["resnet18", "resnet18-2", "resnet18-3", "undefended-2"]


def test_the_audited_model_is_no_surrogate_of_itself_and_none_counts_twice() -> None:
    ours, other = classifier_of(Brightness()), classifier_of(Brightness(steep=3.0))
    with pytest.raises(HipauditError, match="the audited model itself"):
        named([classifier_of(Brightness())], ours)
    with pytest.raises(HipauditError, match="the surrogate double again"):
        named([other, other], ours)


def test_what_fools_a_surrogate_of_the_same_mind_fools_the_model() -> None:
    """An attack made on a network at half size crosses the boundary of the one at full size."""
    net, x, y = balanced_net(4, 24)

    class AtDouble(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            said: Tensor = net(F.avg_pool2d(image, 2))
            return said

    ours = toy_of(AtDouble(), 48, 48)
    seen = as_surrogate(toy_of(net, 24, 24), ours)
    big = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    leaf = big.clone().requires_grad_(True)
    loss = F.cross_entropy(seen.decision_logits(leaf), y, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, leaf)
    moved = (big + 0.1 * gradient.sign()).clamp(0, 1)

    def margin(model: Classifier, image: Tensor) -> Tensor:
        logits = model.predict(image).logits
        return logits.gather(1, y[:, None])[:, 0] - logits.gather(1, 1 - y[:, None])[:, 0]

    assert (margin(ours, moved) < margin(ours, big)).all()

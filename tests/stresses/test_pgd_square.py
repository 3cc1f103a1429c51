"""PGD and Square through the bridge, against stock ART, foolbox and hand-made models."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.art_bridge import _first_square, estimator, projected_gradient, square
from audit.stresses.registry import Altered, Batch, get_stress
from tests.stresses.promises import batch_of, small_classifier
from tests.toys import balanced_net, classifier_of


def attacked(name: str, classifier, x: Tensor, y: Tensor, **params) -> list[Altered]:
    chosen = get_stress(name)
    batch = batch_of(x, y, range(len(x)), name)
    return list(chosen.perturb(classifier, batch, **chosen.check(params)))


def right(classifier, images: Tensor, y: Tensor) -> np.ndarray:
    return classifier.decide(classifier.predict(images).logits) == y.numpy()


def test_from_the_image_itself_pgd_equals_stock_art() -> None:
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    net, x, y = balanced_net(8, 32)
    stock = PyTorchClassifier(
        net, nn.CrossEntropyLoss(), (1, 32, 32), 2, clip_values=(0.0, 1.0), device_type="cpu"
    )
    attack = ProjectedGradientDescentPyTorch(
        stock, eps=4 / 255, eps_step=1 / 255, max_iter=6, verbose=False
    )
    theirs = attack.generate(x.numpy(), y.numpy())
    classifier = classifier_of(net, 32, 32)
    ours = projected_gradient(classifier, x, y, x.clone(), 4 / 255, 1 / 255, 6)
    assert np.abs(ours.numpy() - theirs).max() <= 1e-6


def test_pgd_fools_at_least_as_many_as_foolbox_at_the_same_radius_and_steps() -> None:
    import foolbox

    net, x, y = balanced_net(24, 32)
    classifier = classifier_of(net, 32, 32)
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    torch.manual_seed(0)
    theirs = foolbox.attacks.LinfPGD(abs_stepsize=2.5 / 255 / 10, steps=10)
    _, _, fooled = theirs(model, x, y, epsilons=1 / 255)
    altered = attacked("pgd", classifier, x, y, epsilons=(1 / 255,), steps=10)[0]
    ours = ~right(classifier, altered.images, y)
    assert 0 < fooled.sum() < len(x)
    assert ours.sum() >= int(fooled.sum())


class Curved(nn.Module):
    """FGSM steps over the valley that PGD walks into: the margin is lowest at x = 0.55."""

    def forward(self, x: Tensor) -> Tensor:
        d = (x - 0.55).abs().mean((1, 2, 3))
        return torch.stack([torch.zeros_like(d), 10 * (d - 0.02)], dim=1)


def test_pgd_finds_what_one_large_step_of_fgsm_misses() -> None:
    classifier = classifier_of(Curved(), 4, 4)
    x, y = torch.full((2, 1, 4, 4), 0.5), torch.tensor([1, 1])
    once = attacked("fgsm", classifier, x, y, epsilons=(0.1,))[0]
    walked = attacked("pgd", classifier, x, y, epsilons=(0.1,), steps=20, restarts=1)[0]
    assert right(classifier, once.images, y).all()
    assert not right(classifier, walked.images, y).any()


def test_random_starts_stay_in_the_ball_around_the_original_not_around_the_start() -> None:
    classifier, x, y = small_classifier()
    edge = x.clone()
    edge[:, :, :4], edge[:, :, -4:] = 0.0, 1.0  # where clipping to [0, 1] bites
    for epsilon in (1 / 255, 8 / 255):
        settings = {"epsilons": (epsilon,), "steps": 4, "restarts": 3, "travel": 8.0}
        altered = attacked("pgd", classifier, edge, y, **settings)[0]
        assert (altered.images - edge).abs().max() <= epsilon + 1e-6
        assert altered.images.min() >= 0
        assert altered.images.max() <= 1


class TwoBasins(nn.Module):
    """Flat at x itself; fooled only upwards of 0.52 on average, with noise to choose the way."""

    def forward(self, x: Tensor) -> Tensor:
        d = x.mean((1, 2, 3)) - 0.5
        return torch.stack(
            [torch.zeros_like(d), 1 - 60 * d.clamp(min=0) - 5 * (-d).clamp(min=0)], 1
        )


def test_restarts_go_on_only_for_images_not_yet_fooled_and_find_more() -> None:
    classifier = classifier_of(TwoBasins(), 4, 4)
    x, y = torch.full((40, 1, 4, 4), 0.5), torch.ones(40, dtype=torch.int64)
    single = attacked("pgd", classifier, x, y, epsilons=(0.04,), steps=5)[0]
    many = attacked("pgd", classifier, x, y, epsilons=(0.04,), steps=5, restarts=4)[0]
    fooled_once = ~right(classifier, single.images, y)
    fooled_many = ~right(classifier, many.images, y)
    assert 0 < fooled_once.sum() < fooled_many.sum()
    assert fooled_many[fooled_once].all()
    assert many.queries is not None
    assert [q for q, f in zip(many.queries, fooled_once, strict=True) if f] == [
        6
    ] * fooled_once.sum()


def test_pgd_spends_the_forwards_it_reports() -> None:
    classifier, x, y = small_classifier()
    before = classifier.forwards
    altered = attacked("pgd", classifier, x, y, epsilons=(2 / 255,), steps=7, restarts=2)[0]
    assert altered.queries is not None
    assert classifier.forwards - before == sum(altered.queries)


def test_square_equals_stock_art_with_the_same_global_seed() -> None:
    from art.attacks.evasion import SquareAttack

    net, x, y = balanced_net(2, 24)
    classifier = classifier_of(net, 24, 24)
    for image, label in zip(x, y, strict=True):
        ours, _ = square(classifier, image, int(label), 4 / 255, 42, generator(0, "a"))
        stock = SquareAttack(
            estimator(classifier, image.shape), eps=4 / 255, max_iter=40, verbose=False
        )
        np.random.seed(int(generator(0, "a").integers(2**32)))  # noqa: NPY002 - ART's own source
        theirs = stock.generate(image[None].numpy(), np.eye(2, dtype=np.float32)[[int(label)]])
        assert np.array_equal(ours.numpy(), theirs[0])


class NoGradient(nn.Module):
    """Rounds what it sees, so its gradient is zero everywhere; fooled by enough brightness."""

    def forward(self, x: Tensor) -> Tensor:
        seen = (x * 255).round().mean((1, 2, 3)) / 255 + 0 * x.mean((1, 2, 3))
        return torch.stack([torch.zeros_like(seen), 200 * (0.505 - seen)], dim=1)


def test_square_finds_what_a_masked_gradient_hides_from_fgsm_and_pgd() -> None:
    classifier = classifier_of(NoGradient(), 16, 16)
    x, y = torch.full((2, 1, 16, 16), 0.5), torch.tensor([1, 1])
    for name in ("fgsm", "pgd"):
        altered = attacked(name, classifier, x, y, epsilons=(1 / 255,))[0]
        assert right(classifier, altered.images, y).all()
    altered = attacked("square", classifier, x, y, epsilons=(8 / 255,), queries=150)[0]
    assert not right(classifier, altered.images, y).any()


def test_square_keeps_its_query_budget_and_counts_what_it_spends() -> None:
    classifier, x, y = small_classifier()
    before = classifier.forwards
    altered = attacked("square", classifier, x, y, epsilons=(1 / 255,), queries=30)[0]
    assert altered.queries is not None
    assert max(altered.queries) <= 30
    assert sum(altered.queries) == classifier.forwards - before


def test_square_needs_no_gradient() -> None:
    class Scores:
        has_gradients = False
        classes = ("normal", "fracture")

        def decision_logits(self, x: Tensor) -> Tensor:
            m = x.detach().mean((1, 2, 3)) - 0.5
            return torch.stack([-m, m], dim=1)

    x = torch.full((1, 1, 16, 16), 0.503)
    batch = Batch(x, torch.tensor([1]), [generator(0, "a")])
    chosen = get_stress("square")
    assert not chosen.needs_gradients
    altered = next(chosen.perturb(Scores(), batch, epsilons=(8 / 255,), queries=60))
    assert Scores().decision_logits(altered.images).argmax(1).item() == 0


@pytest.mark.parametrize("size", [(16, 48), (48, 16), (9, 9), (8, 224)])
def test_square_fits_images_that_are_not_square(size: tuple[int, int]) -> None:
    height, width = size
    side = round((_first_square(height, width) * height * width) ** 0.5)
    assert side < min(size)
    classifier = classifier_of(Curved(), height, width)
    x = torch.full((1, 1, height, width), 0.5)
    altered = attacked("square", classifier, x, torch.tensor([1]), queries=10)[0]
    assert altered.images.shape == x.shape


@pytest.mark.parametrize(
    ("name", "params", "what"),
    [
        ("fgsm", {"epsilons": ()}, "epsilons"),
        ("fgsm", {"epsilons": (2.0,)}, "epsilons"),
        ("fgsm", {"epsilons": ("2/255",)}, "epsilons"),
        ("pgd", {"epsilons": (0.0,)}, "epsilons"),
        ("pgd", {"steps": 0}, "steps"),
        ("pgd", {"restarts": 0}, "restarts"),
        ("pgd", {"steps": 2.5}, "steps"),
        ("pgd", {"travel": float("nan")}, "travel"),
        ("square", {"queries": 2}, "queries"),
        ("quantum_noise", {"photons": 0.0}, "photons"),
    ],
)
def test_a_slip_in_a_parameter_is_refused_instead_of_looking_robust(name, params, what) -> None:
    classifier, x, y = small_classifier()
    with pytest.raises(HipauditError, match=what):
        attacked(name, classifier, x, y, **params)


def test_a_single_radius_may_be_given_without_a_list() -> None:
    classifier, x, y = small_classifier()
    (altered,) = attacked("fgsm", classifier, x, y, epsilons=4 / 255)
    assert altered.variant == {"epsilon": 4 / 255}

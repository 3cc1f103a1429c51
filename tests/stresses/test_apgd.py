"""APGD against its paper's schedule by hand, stock ART, and models where PGD does worse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from audit.errors import HipauditError
from audit.results import ModelDescription, Preparation
from audit.stresses.apgd import checkpoints
from audit.stresses.looking import cross_entropy, difference_of_logits_ratio, look
from audit.stresses.registry import Altered, get_stress
from tests.stresses import art_reference
from tests.stresses.promises import batch_of, small_classifier
from tests.toys import balanced_net, classifier_of


def attacked(name: str, classifier, x: Tensor, y: Tensor, **params) -> Altered:
    chosen = get_stress(name)
    batch = batch_of(x, y, range(len(x)), name)
    (altered,) = chosen.perturb(classifier, batch, **chosen.check(params))
    return altered


def fooled(classifier, images: Tensor, y: Tensor) -> np.ndarray:
    return classifier.decide(classifier.predict(images).logits) != y.numpy()


def test_the_checkpoints_are_those_of_the_paper() -> None:
    # p = 0, .22, .41, .57, .70, .80, .87, .93, .99: each gap .03 less, never below .06
    by_hand = [0, 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99]
    for steps in (10, 50, 100):
        assert checkpoints(steps) == [int(np.ceil(round(p * steps, 6))) for p in by_hand]


class Slope(nn.Module):
    """Linear and out of reach; keeps every image it is asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach().clone())
        margin = 10 + 2 * x.mean((1, 2, 3))
        return torch.stack([torch.zeros_like(margin), margin], 1)


class Ridge(nn.Module):
    """The loss is highest 0.2 ε off the image (ε = 0.1), so large steps overshoot it for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(float(x.detach().flatten()[0]))
        margin = 1 + (x.mean((1, 2, 3)) - 0.52).abs()
        return torch.stack([torch.zeros_like(margin), margin], 1)


def test_on_a_slope_the_first_step_reaches_the_corner_of_the_ball_and_stays_there() -> None:
    net = Slope()
    x, y = torch.full((1, 1, 4, 4), 0.5), torch.tensor([1])
    attacked("apgd", classifier_of(net, 4, 4), x, y, epsilons=(0.1,), steps=12)
    assert len(net.seen) == 13  # the start and twelve steps
    assert (net.seen[0] - 0.5).abs().max() <= 0.1
    for image in net.seen[1:]:  # 2ε from anywhere in the ball goes past its far side
        assert torch.allclose(image, torch.full_like(image, 0.4), atol=1e-6)


def by_hand(start: float, steps: int) -> list[float]:
    """Algorithm 1 of the paper in one dimension on the ridge, in plain floats."""
    centre, epsilon, peak = 0.5, 0.1, 0.52

    def inside(value: float) -> float:
        return min(max(value, centre - epsilon), centre + epsilon)

    def loss(value: float) -> float:
        return -abs(value - peak)

    def uphill(value: float) -> float:
        return float(np.sign(peak - value))

    checks = checkpoints(steps)
    eta, before, here, visited = 2 * epsilon, start, start, [start]
    best, gained, halved, record = start, 0, False, loss(start)
    for k in range(1, steps + 1):
        z = inside(here + eta * uphill(here))
        new = z if k == 1 else inside(here + 0.75 * (z - here) + 0.25 * (here - before))
        gained += loss(new) > loss(here)
        before, here = here, new
        visited.append(new)
        best = here if loss(here) > loss(best) else best
        if k in checks:
            stretch = k - checks[checks.index(k) - 1]
            halve = gained < 0.75 * stretch or (not halved and loss(best) <= record)
            if halve:
                eta, here = eta / 2, best
            gained, halved, record = 0, halve, loss(best)
    return visited


def test_on_a_ridge_every_point_is_that_of_the_paper_by_hand() -> None:
    """An image of one pixel moves as one number."""
    net = Ridge()
    x, y = torch.full((1, 1, 1, 1), 0.5), torch.tensor([1])
    attacked("apgd", classifier_of(net, 1, 1), x, y, epsilons=(0.1,), steps=40)
    expected = by_hand(net.seen[0], 40)
    assert net.seen == pytest.approx(expected, abs=1e-5)
    assert abs(net.seen[-1] - 0.52) < abs(net.seen[1] - 0.52) / 4  # the step did shrink


def test_it_fools_at_least_as_many_as_stock_art_and_as_our_pgd() -> None:
    net, x, y = balanced_net(24, 32)
    classifier = classifier_of(net, 32, 32)
    theirs = art_reference.auto_projected_gradient(classifier, x, y, 1 / 255, 12)
    ours = attacked("apgd", classifier, x, y, epsilons=(1 / 255,), steps=12)
    pgd = attacked("pgd", classifier, x, y, epsilons=(1 / 255,), steps=12)
    reference = fooled(classifier, theirs, y)
    assert 0 < reference.sum() < len(x)
    assert fooled(classifier, ours.images, y).sum() >= reference.sum()
    assert fooled(classifier, ours.images, y).sum() >= fooled(classifier, pgd.images, y).sum()


def test_it_spends_the_forwards_it_reports() -> None:
    classifier, x, y = small_classifier()
    before = classifier.forwards
    altered = attacked("apgd", classifier, x, y, epsilons=(2 / 255,), steps=7, restarts=2)
    assert altered.queries is not None
    assert sum(altered.queries) == classifier.forwards - before


def test_a_saturated_model_is_walked_like_any_other() -> None:
    """Its cross-entropy is 0 in float32, with which ART's APGD stops."""

    class Saturated(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            m = 1e5 * (x.mean((1, 2, 3)) - 0.48)
            return torch.stack([-m / 2, m / 2], 1)

    classifier = classifier_of(Saturated(), 8, 8)
    x, y = torch.full((2, 1, 8, 8), 0.5), torch.tensor([1, 1])
    assert fooled(classifier, attacked("apgd", classifier, x, y, epsilons=0.03).images, y).all()


def three_classes() -> tuple[object, Tensor, Tensor]:
    class Three(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            with torch.random.fork_rng():
                torch.manual_seed(1)
                self.body = nn.Sequential(nn.Conv2d(1, 6, 3), nn.Tanh(), nn.Flatten())
                self.head = nn.Linear(6 * 100, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.body(x))

    from audit.classifier import Classifier

    with torch.random.fork_rng():
        torch.manual_seed(2)
        x = torch.rand(12, 1, 12, 12)
    way = Preparation(height=12, width=12, channels=1, mean=(0.0,), std=(1.0,))
    classifier = Classifier(
        Three(),
        ModelDescription(
            name="three",
            architecture="Three",
            classes=("normal", "fracture", "metal"),
            positive_class="fracture",
            preparation=way,
        ),
    )
    return classifier, x, classifier.decision_logits(x).argmax(1)


@pytest.mark.parametrize("loss", ["ce", "dlr"])
def test_with_three_classes_both_losses_fool_as_many_as_foolbox(loss) -> None:
    import foolbox

    classifier, x, y = three_classes()
    model = foolbox.PyTorchModel(classifier.module, bounds=(0, 1), device="cpu")
    torch.manual_seed(0)
    theirs = foolbox.attacks.LinfPGD(abs_stepsize=0.02 / 4, steps=15)
    _, _, hit = theirs(model, x, y, epsilons=0.02)
    altered = attacked("apgd", classifier, x, y, epsilons=0.02, steps=15, loss=loss)
    assert 0 < hit.sum() < len(x)
    assert fooled(classifier, altered.images, y).sum() >= int(hit.sum())


def test_the_losses_are_those_of_torch_and_of_the_paper() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.1, 3.0, 1.0]])
    y = torch.tensor([0, 2])
    m = cross_entropy(logits, y)
    plain = nn.functional.cross_entropy(logits, y, reduction="none")
    assert torch.allclose(nn.functional.softplus(m), plain)
    # -(z_y - max other) / (z_1st - z_3rd): -(2 - .5) / (2 + 1) and -(1 - 3) / (3 - .1)
    assert difference_of_logits_ratio(logits, y).tolist() == pytest.approx([-0.5, 2 / 2.9])


def test_the_gradient_has_the_direction_of_cross_entropy_with_three_classes() -> None:
    classifier, x, y = three_classes()
    leaf = x.clone().requires_grad_(True)
    loss = nn.functional.cross_entropy(classifier.decision_logits(leaf), y, reduction="sum")
    (plain,) = torch.autograd.grad(loss, leaf)
    mine = look(classifier, x, y).gradient
    assert nn.functional.cosine_similarity(mine.flatten(1), plain.flatten(1)).min() > 1 - 1e-5


def test_dlr_is_refused_for_two_classes_with_what_to_type() -> None:
    classifier, x, y = small_classifier()
    with pytest.raises(HipauditError, match='loss="ce"'):
        attacked("apgd", classifier, x, y, loss="dlr")


def test_square_lowers_the_margin_to_whichever_other_class_is_nearest() -> None:
    classifier, x, y = three_classes()
    altered = attacked("square", classifier, x, y, epsilons=0.1, queries=60)
    before, after = (classifier.predict(images).logits for images in (x, altered.images))
    left = ~fooled(classifier, altered.images, y)
    assert 0 < left.sum() < len(x)

    def margins(z: Tensor) -> Tensor:
        others = z.clone()
        others[torch.arange(len(y)), y] = -torch.inf
        return z[torch.arange(len(y)), y] - others.amax(1)

    assert (margins(after) < margins(before))[left].all()
    reached = set(after.argmax(1)[~left].tolist())
    assert len(reached) >= 2

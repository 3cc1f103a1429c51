"""PGD and Square against stock ART, foolbox and hand-made models."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor, nn

from audit.draws import generator
from audit.errors import HipauditError
from audit.stresses.hunt import box
from audit.stresses.looking import look
from audit.stresses.pgd import ascended
from audit.stresses.registry import Altered, Batch, get_stress
from audit.stresses.square import side_at
from tests.stresses import art_reference
from tests.stresses.promises import batch_of, small_classifier
from tests.toys import Unmoved, balanced_net, classifier_of


def attacked(name: str, classifier, x: Tensor, y: Tensor, **params) -> list[Altered]:
    chosen = get_stress(name)
    batch = batch_of(x, y, range(len(x)), name)
    return list(chosen.perturb(classifier, batch, **chosen.check(params)))


def right(classifier, images: Tensor, y: Tensor) -> np.ndarray:
    return classifier.decide(classifier.predict(images).logits) == y.numpy()


def test_step_by_step_pgd_equals_stock_art_from_the_image_itself() -> None:
    net, x, y = balanced_net(8, 32)
    classifier = classifier_of(net, 32, 32)
    theirs = art_reference.projected_gradient(classifier, x, y, 4 / 255, 1 / 255, 6)
    ours, epsilon = x, torch.full((8, 1, 1, 1), 4 / 255)
    inside = box(x, epsilon)
    for _ in range(6):
        ours = ascended(ours, look(classifier, ours, y).gradient, inside, epsilon / 4)
    assert (ours - theirs).abs().max() <= 1e-6


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
    assert single.queries is not None
    for first, all_, fooled in zip(single.queries, many.queries, fooled_once, strict=True):
        assert first == all_ if fooled else first < all_


class Recorded(nn.Module):
    """Says 0 where the mean exceeds 0.51; keeps the number of images of every call."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.sizes.append(len(x))
        margin = 100 * (0.51 - x.mean((1, 2, 3)))
        return torch.stack([torch.zeros_like(margin), margin], 1)


@pytest.mark.parametrize("name", ["pgd", "apgd"])
def test_a_case_that_is_fooled_costs_no_further_forward_at_this_or_a_larger_radius(name) -> None:
    net = Recorded()
    x = torch.full((4, 1, 8, 8), 0.3)  # out of reach
    x[:2] = 0.508  # fooled by one step
    y = torch.ones(4, dtype=torch.int64)
    settings = {"epsilons": (8 / 255, 16 / 255), "steps": 10, "restarts": 2}
    near, far = attacked(name, classifier_of(net, 8, 8), x, y, **settings)
    assert near.queries is not None
    assert far.queries is not None
    assert max(near.queries[:2]) <= 4
    assert far.queries[:2] == [0, 0]
    assert min(near.queries[2:] + far.queries[2:]) == max(near.queries[2:] + far.queries[2:]) >= 20
    assert torch.equal(far.images[:2], near.images[:2])
    assert net.sizes.count(2) >= 2 * 20  # the two that are left, alone
    assert sum(net.sizes) == sum(near.queries + far.queries)


@pytest.mark.parametrize("name", ["pgd", "apgd"])
def test_what_pgd_settles_on_still_fools_after_rounding_to_8_bits(name) -> None:
    net, x, y = balanced_net(24, 32)
    classifier = classifier_of(net, 32, 32)
    altered = attacked(name, classifier, x, y, epsilons=(4 / 255,), steps=10)[0]
    fooled = ~right(classifier, altered.images, y)
    rounded = (altered.images * 255).round() / 255
    assert fooled.sum() >= 5
    assert not right(classifier, rounded, y)[fooled].any()


@pytest.mark.parametrize(("name", "factor"), [("pgd", 1.2), ("apgd", 1.0)])
def test_without_stopping_early_the_loss_ends_higher(name, factor) -> None:
    """What is carried over to another model must be more than barely fooling."""
    net, x, y = balanced_net(8, 32)
    classifier, ends = classifier_of(net, 32, 32), []
    for early in (True, False):
        settings = {"epsilons": (2 / 255,), "steps": 10, "stop_early": early}
        altered = attacked(name, classifier, x, y, **settings)[0]
        z = classifier.predict(altered.images).logits
        ends.append((z[torch.arange(8), 1 - y] - z[torch.arange(8), y]).numpy())
    assert (ends[1] >= ends[0] - 1e-4).all()
    fooled = ends[0] > 0
    assert fooled.sum() >= 3
    assert (ends[1] > ends[0])[fooled].all()
    assert ends[1][fooled].mean() > factor * ends[0][fooled].mean()


def test_a_gradient_that_is_zero_everywhere_is_told() -> None:
    x, y = torch.full((2, 1, 4, 4), 0.5), torch.tensor([1, 1])
    flat = attacked("pgd", classifier_of(Unmoved(), 4, 4), x, y, epsilons=0.1, steps=3)[0]
    curved = attacked("pgd", classifier_of(Curved(), 4, 4), x, y, epsilons=0.1, steps=3)[0]
    assert [dict(f) for f in flat.found] == [{"zero_gradient": True}] * 2
    assert [dict(f) for f in curved.found] == [{}, {}]


def test_pgd_spends_the_forwards_it_reports() -> None:
    classifier, x, y = small_classifier()
    before = classifier.forwards
    altered = attacked("pgd", classifier, x, y, epsilons=(2 / 255,), steps=7, restarts=2)[0]
    assert altered.queries is not None
    assert classifier.forwards - before == sum(altered.queries)


def test_square_fools_as_many_as_stock_art_with_as_many_queries() -> None:
    """Draws differ: ART's one search per image against the distribution of eight of ours."""
    net, x, y = balanced_net(24, 24)
    classifier, epsilon, queries = classifier_of(net, 24, 24), 12 / 255, 50
    chosen, ours, our_queries = get_stress("square"), [], []
    for seed in range(8):
        batch = Batch(x, y, [generator(seed, str(row)) for row in range(24)])
        (altered,) = chosen.perturb(classifier, batch, epsilons=epsilon, queries=queries + 1)
        ours.append(~right(classifier, altered.images, y))
        our_queries += [q - 1 for q in altered.queries]  # ours asks about x itself first
    theirs, their_queries = 0, []
    for row in range(24):
        one, truth = x[row : row + 1], y[row : row + 1]
        image, spent = art_reference.square(classifier, one, truth, epsilon, queries, row)
        theirs += int(not right(classifier, image, truth)[0])
        their_queries.append(spent)
    share = np.mean(ours, axis=0)  # per image
    spread = np.sqrt((share * (1 - share)).sum() * (1 + 1 / 8))
    assert 6 <= theirs <= 18
    assert abs(theirs - share.sum()) < 2 * spread
    assert mannwhitneyu(our_queries, their_queries).pvalue > 0.1


def test_the_squares_shrink_as_in_stock_art() -> None:
    from art.attacks.evasion import SquareAttack

    share = SquareAttack._get_percentage_of_elements
    for queries in (100, 5000):
        theirs = SimpleNamespace(max_iter=queries, p_init=0.8)
        for turn in range(0, queries, max(1, queries // 97)):
            side = max(round((share(theirs, turn) * 64 * 48) ** 0.5), 1)
            assert side_at(turn / queries, 0.8, 64, 48) == min(side, 48)


def test_the_batch_a_case_sits_in_changes_neither_its_square_search_nor_its_queries() -> None:
    net, x, y = balanced_net(6, 24)
    classifier = classifier_of(net, 24, 24)
    chosen = get_stress("square")
    params = {"epsilons": (12 / 255,), "queries": 25}
    (whole,) = chosen.perturb(classifier, batch_of(x, y, range(6), "square"), **params)
    for row in range(6):
        (alone,) = chosen.perturb(classifier, batch_of(x, y, [row], "square"), **params)
        assert torch.equal(alone.images[0], whole.images[row])
        assert alone.queries == [whole.queries[row]]


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
        ("square", {"area": 1.5}, "area"),
        ("apgd", {"epsilons": (-1.0,)}, "epsilons"),
        ("apgd", {"steps": 0}, "steps"),
        ("apgd", {"loss": "cw"}, "loss"),
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

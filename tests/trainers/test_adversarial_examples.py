"""Adversarial examples in training, against ART's trainers, by hand and on planted networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from audit.errors import HipauditError
from tests.toys import balanced_net
from trainers.adversarial.examples import adversarial_batch, crafting, mixed_batch
from trainers.adversarial.settings import Adversarial, make_adversarial
from trainers.adversarial.watch import Strength, collapsed, strength

EPSILON = 4 / 255
EVERY = [
    Adversarial(method="fbf", epsilon=EPSILON),
    Adversarial(method="fgsm", epsilon=EPSILON),
    Adversarial(method="pgd", epsilon=EPSILON, steps=5),
    Adversarial(method="pgd", epsilon=EPSILON, steps=3, step_size=2.0, random_start=False),
]
NAMES = ["fbf", "fgsm", "pgd", "pgd from the image, long steps"]


def craft(forward, x: Tensor, y: Tensor, settings: Adversarial, seed: int = 0, at: float = 1.0):
    draw = Generator().manual_seed(seed)
    return adversarial_batch(forward, x, y, settings, draw=draw, progress_of_training=at)


def stock(net: nn.Module):
    from art.estimators.classification import PyTorchClassifier

    return PyTorchClassifier(
        net,
        nn.CrossEntropyLoss(),
        (1, 32, 32),
        2,
        optimizer=torch.optim.SGD(net.parameters(), lr=0.0),
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )


def start_of(x: Tensor, seed: int = 0) -> np.ndarray:
    """The uniform start in [-1, 1] that our generator draws."""
    return (torch.rand(x.shape, generator=Generator().manual_seed(seed)) * 2 - 1).numpy()


def test_fbf_is_the_perturbation_arts_trainer_makes_from_the_same_start(monkeypatch) -> None:
    from art.defences.trainer import AdversarialTrainerFBFPyTorch
    from art.defences.trainer import adversarial_trainer_fbf_pytorch as module

    net, x, y = balanced_net(8, 32)
    x = x * 0.8 + 0.1  # ART does not clip the start, Wong et al. do: inside they agree
    start = (start_of(x) * EPSILON).astype(np.float32)
    monkeypatch.setattr(module, "random_sphere", lambda *_: start.reshape(len(x), -1))
    trainer = AdversarialTrainerFBFPyTorch(stock(net), eps=EPSILON)
    seen: list[Tensor] = []
    net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    trainer._batch_process(x.numpy(), np.eye(2, dtype=np.float32)[y], 0.0)
    theirs = seen[-1]  # what the network is trained on
    ours = craft(net, x, y, EVERY[0])
    assert (theirs - x).abs().max() > 0.9 * EPSILON
    assert (ours - theirs).abs().max() <= 1e-6


@pytest.mark.parametrize("random_start", [False, True], ids=["from the image", "random start"])
def test_pgd_is_the_attack_inside_arts_madry_trainer(monkeypatch, random_start: bool) -> None:
    from art.attacks.evasion.projected_gradient_descent import (
        projected_gradient_descent_pytorch as module,
    )
    from art.defences.trainer import AdversarialTrainerMadryPGD

    net, x, y = balanced_net(8, 32)
    x = x * 0.8 + 0.1
    start = (start_of(x) * EPSILON).astype(np.float32)
    monkeypatch.setattr(module, "random_sphere", lambda *_: start.reshape(len(x), -1))
    steps, size = 5, 0.5
    trainer = AdversarialTrainerMadryPGD(
        stock(net),
        eps=EPSILON,
        eps_step=size * EPSILON,
        max_iter=steps,
        num_random_init=int(random_start),
    )
    trainer.attack._attack.verbose = False
    theirs = trainer.attack.generate(x.numpy(), np.eye(2, dtype=np.float32)[y])
    settings = Adversarial("pgd", EPSILON, steps=steps, step_size=size, random_start=random_start)
    ours = craft(net, x, y, settings)
    # A pixel whose gradient is nearly 0 may take the other sign in another order of addition.
    differ = np.abs(ours.numpy() - theirs) > 1e-6
    assert differ.mean() < 1e-3
    assert np.abs(theirs - x.numpy()).max() > 0.9 * EPSILON


@pytest.mark.parametrize("settings", EVERY, ids=NAMES)
def test_every_example_keeps_the_budget_the_range_and_raises_the_loss(settings) -> None:
    net, x, y = balanced_net(16, 32)
    x = x * 1.2 - 0.1
    x = x.clamp(0, 1)
    made = craft(net, x, y, settings)
    assert (made - x).abs().max() <= settings.epsilon + 1e-7
    assert made.min() >= 0
    assert made.max() <= 1
    assert not made.requires_grad
    before, after = F.cross_entropy(net(x), y), F.cross_entropy(net(made), y)
    assert after > before


def test_a_grey_image_gets_a_grey_perturbation_although_the_network_sees_three_channels() -> None:
    net, x, y = balanced_net(4, 32)
    weights = torch.tensor([0.5, 2.0, -0.4]).view(1, 3, 1, 1)

    def forward(images: Tensor) -> Tensor:
        return net((images.expand(-1, 3, -1, -1) * weights).sum(1, keepdim=True))

    assert craft(forward, x, y, EVERY[0]).shape == x.shape


def test_epsilon_grows_linearly_over_the_ramp_and_then_stays() -> None:
    settings = Adversarial("fgsm", EPSILON, ramp=0.4)
    net, x, y = balanced_net(4, 32)
    x = x * 0.5 + 0.25
    for progress, share in ((0.0, 0.0), (0.1, 0.25), (0.2, 0.5), (0.4, 1.0), (0.9, 1.0)):
        made = craft(net, x, y, settings, at=progress)
        assert float((made - x).abs().max()) == pytest.approx(share * EPSILON, abs=1e-6)


def test_the_start_is_the_same_for_the_same_draws_and_another_for_others() -> None:
    net, x, y = balanced_net(4, 32)
    first = craft(net, x, y, EVERY[0], seed=1)
    assert torch.equal(first, craft(net, x, y, EVERY[0], seed=1))
    assert not torch.equal(first, craft(net, x, y, EVERY[0], seed=2))


class Normed(nn.Module):
    """Convolution, a BatchNorm, a frozen BatchNorm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4))
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def test_crafting_moves_no_statistic_leaves_no_gradient_and_puts_every_mode_back() -> None:
    torch.manual_seed(0)
    net = Normed().train()
    net.body[2].eval()
    net.body[0].weight.requires_grad_(False)
    _, x, y = balanced_net(8, 32)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [part.training for part in net.modules()]
    flags = [parameter.requires_grad for parameter in net.parameters()]
    draw = Generator().manual_seed(0)
    mixed_batch(net, net, x, y, EVERY[2], draw=draw, progress_of_training=1.0)
    strength(net, net, x, y, EVERY[0])
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [part.training for part in net.modules()] == modes
    assert [parameter.requires_grad for parameter in net.parameters()] == flags
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_gradient_that_was_there_is_still_there_after_crafting_fails() -> None:
    net = Normed().train()
    net.head[1].weight.grad = torch.ones(2, 4)
    with pytest.raises(ValueError, match="planted"), crafting(net):
        raise ValueError("planted")
    assert net.training
    assert net.head[1].weight.requires_grad
    assert torch.equal(net.head[1].weight.grad, torch.ones(2, 4))


@pytest.mark.parametrize(
    ("n", "share", "count"), [(32, 0.5, 16), (5, 0.5, 3), (3, 0.1, 1), (4, 1, 4)]
)
def test_the_loss_of_a_mixed_batch_is_the_weighted_sum_of_clean_and_adversarial(
    n: int, share: float, count: int
) -> None:
    net, x, y = balanced_net(n, 32)
    settings = Adversarial("fgsm", EPSILON, share=share, ramp=0.0)
    draw = Generator()
    mixed = mixed_batch(net, net, x, y, settings, draw=draw, progress_of_training=0.0)
    altered = (mixed != x).flatten(1).any(1)
    assert altered.tolist() == [True] * count + [False] * (n - count)
    each = F.cross_entropy(net(mixed), y, reduction="none")
    bad = F.cross_entropy(net(craft(net, x[:count], y[:count], settings)), y[:count])
    good = F.cross_entropy(net(x[count:]), y[count:]) if count < n else torch.zeros(())
    expected = count / n * bad + (n - count) / n * good
    assert each.mean().item() == pytest.approx(expected.item(), rel=1e-5)


class Margin(nn.Module):
    """Logits ± (mean - 0.5): an image stands while its mean is further than ε from 0.5."""

    def forward(self, x: Tensor) -> Tensor:
        score = 10 * (x.mean((1, 2, 3)) - 0.5)
        return torch.stack([-score, score], dim=1)


def test_strength_counts_what_stands_under_one_step_and_under_ten() -> None:
    means = torch.linspace(0.4, 0.6, 40)
    x = means.view(-1, 1, 1, 1).expand(-1, 1, 8, 8).contiguous()
    y = (means > 0.5).long()
    y[0] = 1  # wrong before any attack
    found = strength(Margin(), Margin(), x, y, Adversarial(epsilon=0.03), batch_size=7)
    far = int(((means - 0.5).abs() > 0.03).sum()) - 1
    assert found == Strength(clean=39 / 40, fgsm=far / 40, pgd=far / 40, n=40)


class Masked(nn.Module):
    """Margin seen through a ripple in which one long step lands where it started.

    The score oscillates with the mean at a period of 0.04, so a step of 0.04 changes nothing
    while steps of a quarter of it find the trough between.
    """

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2, 3))
        score = 1 + 2 * torch.sin(2 * torch.pi * (mean - 0.49) / 0.04)
        return torch.stack([-score, score], dim=1)


def test_a_network_that_only_blunts_the_single_step_is_told_from_one_that_resists() -> None:
    x = torch.full((8, 1, 32, 32), 0.495)
    y = torch.ones(8, dtype=torch.long)
    found = strength(Masked(), Masked(), x, y, Adversarial(epsilon=0.04))
    assert (found.clean, found.fgsm, found.pgd) == (1.0, 1.0, 0.0)


def told(*series: tuple[float, float]) -> bool:
    return collapsed([Strength(0.9, fgsm, pgd, 100) for fgsm, pgd in series])


def test_a_collapse_is_pgd_falling_while_fgsm_does_not() -> None:
    assert told((0.6, 0.5), (0.95, 0.05))
    assert told((0.6, 0.5), (0.65, 0.55), (0.7, 0.3))
    assert not told((0.6, 0.5), (0.3, 0.2)), "both fell: a bad epoch, not a blunted step"
    assert not told((0.6, 0.5), (0.7, 0.4)), "within the noise of a few hundred images"
    assert not told((0.9, 0.1)), "nothing to fall from"


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "trades"},
        {"epsilon": 0.0},
        {"epsilon": 4.0},
        {"epsilon": float("nan")},
        {"ramp": 1.5},
        {"share": 0.0},
        {"steps": 0},
        {"step_size": float("inf")},
        {"epsilom": 0.1},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused_in_one_line(wrong) -> None:
    with pytest.raises(HipauditError) as caught:
        make_adversarial(wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("method", "step"), [("fbf", 1.25), ("fgsm", 1.0), ("pgd", 2.5 / 7)], ids=str
)
def test_the_record_names_the_step_really_taken(method: str, step: float) -> None:
    assert make_adversarial({"method": method}).recorded()["step_size"] == pytest.approx(step)


def test_a_collapse_is_told_when_it_happens_and_every_epoch_is_told() -> None:
    from trainers.adversarial.watch import warning

    said = warning(EVERY[0], 7, Strength(0.9, 0.95, 0.05, 100))
    assert "epoch 7" in said
    assert "PGD fell to 5%" in said
    assert "under FGSM it is 95%" in said
    assert str(Strength(0.9, 0.5, 0.25, 40)) == "clean 90.0%, FGSM 50.0%, PGD 25.0%"


class Weighted(nn.Module):
    """A network with a weight, as one that trains has."""

    def __init__(self, network: nn.Module, weight: float) -> None:
        super().__init__()
        self.network, self.weight = network, nn.Parameter(torch.tensor(weight))

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x) + 0 * self.weight


class Told:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def run(self, run_id: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_the_judge_tells_of_a_network_that_began_to_blunt_the_single_step() -> None:
    from audit.cases.read import from_arrays
    from audit.cases.subset import subset
    from audit.results import Preparation
    from tests.toys import Unmoved
    from trainers.adversarial.judge import Judge

    images = np.full((8, 32, 32), 0.495, dtype=np.float32) + np.arange(8)[:, None, None] * 1e-5
    both = from_arrays(images.astype(np.float32), ["normal"] + ["fracture"] * 7)
    cases = subset(both, [case for case in both if case.label == "fracture"])
    way = Preparation(height=32, width=32, channels=1, mean=(0.0,), std=(1.0,))
    told = Told()
    settings = Adversarial(epsilon=0.04)
    judge = Judge(cases, way, ("normal", "fracture"), settings, progress=told)
    assert judge(Weighted(Unmoved(), 1.0)) == 1.0
    assert not any("catastrophic" in note for note in told.notes)
    assert judge(Weighted(Masked(), 2.0)) == 0.5
    assert "epoch 2: catastrophic overfitting" in told.notes[-1]

"""Each method's map against another implementation of it, and the network that is its control."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from explained_models import SIDE, Net, cases, classifier_of, trained
from torch import nn

from audit.draws import generator
from audit.probes.cam.maps import score_cam
from audit.probes.cam.randomised import randomised
from audit.probes.cam.smooth import SIGMA, smoothgrad


def net(*, norm: bool = False) -> Net:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Net(norm=norm, width=2).eval()


def image(number: int = 1) -> torch.Tensor:
    return classifier_of(net()).prepare(cases(4)[number])


@pytest.mark.parametrize("target", [0, 1])
def test_score_cam_with_every_channel_is_that_of_the_library(target: int) -> None:
    from pytorch_grad_cam import ScoreCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    model, x = classifier_of(trained()), image()
    mine = score_cam(model, channels=99)(x, target)
    wrapped = nn.Sequential(Normalised(), model.module)
    tool = ScoreCAM(wrapped, [model.module.seen])
    theirs = tool(x[None], [ClassifierOutputTarget(target)])[0]
    tool.activations_and_grads.release()
    small = torch.from_numpy(np.maximum(mine, 0) - np.maximum(mine, 0).min())[None, None]
    size = {"size": (SIDE, SIDE), "mode": "bilinear", "align_corners": False}
    wide = nn.functional.interpolate(small, **size)[0, 0].numpy()
    assert np.corrcoef(wide.ravel(), theirs.ravel())[0, 1] > 0.999


class Normalised(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - 0.5) / 0.25


def test_score_cam_of_few_channels_leaves_the_flattest_out() -> None:
    model, x = classifier_of(trained()), image()
    with torch.no_grad():
        maps = model.module.seen(Normalised()(x[None]))[0].numpy()
    liveliest = int(maps.std(axis=(1, 2)).argmax())
    assert score_cam(model, channels=1)(x, 1) == pytest.approx(maps[liveliest], abs=1e-6)


def test_smoothgrad_of_a_linear_model_is_the_size_of_its_weights() -> None:
    weights = torch.linspace(-1, 1, SIDE * SIDE).view(SIDE, SIDE)

    class Linear(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            z = (x[:, 0] * weights).sum((1, 2))
            return torch.stack([-z, z], dim=1)

    heat = smoothgrad(classifier_of(Linear(), None), 0)(image(), 1)
    by_hand = nn.functional.adaptive_avg_pool2d(weights.abs()[None, None] / 0.25, heat.shape)
    assert heat == pytest.approx(by_hand[0, 0].numpy(), rel=1e-4, abs=1e-6)


def test_smoothgrad_averages_the_slopes_at_noisy_images() -> None:
    class Square(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            z = ((x * 0.25 + 0.5) ** 2).sum((1, 2, 3)) / 2
            return torch.stack([-z, z], dim=1)

    x = image()
    heat = smoothgrad(classifier_of(Square(), None), 5, draws=50)(x, 1)
    noise = generator(5, "smoothgrad").normal(0, SIGMA, (50, *x.shape)).mean(0)
    slopes = torch.from_numpy(np.abs(x.numpy() + noise)).float()[None]
    by_hand = nn.functional.adaptive_avg_pool2d(slopes, heat.shape)[0, 0]
    assert heat == pytest.approx(by_hand.numpy(), abs=1e-4)


@pytest.mark.parametrize("norm", [False, True])
def test_the_control_has_other_weights_of_the_same_size_and_leaves_the_model_alone(norm) -> None:
    model = classifier_of(net(norm=norm))
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    control = randomised(model, [image(i) for i in range(4)], 1)
    assert all(torch.equal(before[n], v) for n, v in model.module.state_dict().items())
    for (_, old), (name, new) in zip(
        model.module.named_parameters(), control.module.named_parameters(), strict=True
    ):
        assert not torch.equal(old, new) or not old.any(), name
    old, new = model.module.seen[0].weight, control.module.seen[0].weight
    assert 0.4 < float(new.square().mean() / old.square().mean()) < 2.5
    assert not control.module.training


def test_the_control_measures_its_statistics_on_the_images() -> None:
    images = [image(i) for i in range(4)]
    control = randomised(classifier_of(net(norm=True)), images, 1)
    with torch.no_grad():
        first = control.module.seen[0](Normalised()(torch.stack(images)))
    found = control.module.seen[1].running_mean
    assert torch.allclose(found, first.mean((0, 2, 3)), atol=1e-5)


def test_two_seeds_give_two_controls_and_one_seed_the_same() -> None:
    model = classifier_of(net())
    one, again, other = (randomised(model, [], seed).module.head.weight for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)

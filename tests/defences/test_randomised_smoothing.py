"""Randomised smoothing against the closed form of a Gaussian and sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import softmax
from torch import Tensor, nn

from audit.defences.randomised_smoothing import noise, randomised_smoothing
from audit.errors import HipauditError
from tests.stresses.promises import small_classifier
from tests.toys import balanced_net, classifier_of


def test_the_answer_is_the_mean_softmax_over_the_bank() -> None:
    classifier, x, _ = small_classifier()
    bank = noise((1, 24, 24), 0.2, 5, 3)
    each = [softmax(classifier.predict(x + one).logits.numpy(), axis=1) for one in bank]
    told = randomised_smoothing(classifier, sigma=0.2, n=5, seed=3).predict(x).logits.numpy()
    assert np.abs(np.exp(told) - np.mean(each, axis=0)).max() <= 1e-6


def test_the_bank_is_gaussian_with_the_standard_deviation_asked_for() -> None:
    bank = noise((3, 40, 40), 0.25, 8, 0).numpy()
    assert bank.shape == (8, 3, 40, 40)
    assert stats.kstest(bank.ravel() / 0.25, "norm").pvalue > 0.001
    flat = bank.reshape(24, -1)
    between = np.corrcoef(flat)[np.triu_indices(24, 1)]
    assert np.abs(between).max() < 5 / np.sqrt(flat.shape[1]), "copies and channels are independent"


def test_the_bank_repeats_and_another_seed_is_another_bank() -> None:
    assert torch.equal(noise((1, 8, 8), 0.1, 4, 0), noise((1, 8, 8), 0.1, 4, 0))
    assert not torch.equal(noise((1, 8, 8), 0.1, 4, 0), noise((1, 8, 8), 0.1, 4, 1))
    # more copies begin with those there were
    assert torch.equal(noise((1, 8, 8), 0.1, 6, 0)[:4], noise((1, 8, 8), 0.1, 4, 0))


class Step(nn.Module):
    """Sure of class 1 where the first pixel exceeds 0.5, sure of class 0 elsewhere."""

    def forward(self, x: Tensor) -> Tensor:
        sure = torch.where(x[:, 0, 0, 0] > 0.5, 50.0, -50.0)
        return torch.stack([-sure, sure], dim=1)


@pytest.mark.parametrize("level", [0.3, 0.5, 0.62])
def test_a_hard_limit_becomes_the_normal_distribution_function(level: float) -> None:
    """Many copies: P(level + σZ > 0.5) = Φ((level − 0.5) / σ), within four standard errors."""
    n, sigma = 2000, 0.2
    x = torch.full((1, 1, 2, 2), level)
    smoothed = randomised_smoothing(classifier_of(Step(), 2, 2), sigma=sigma, n=n)
    share = float(smoothed.predict(x).logits[0, 1].exp())
    expected = stats.norm.cdf((level - 0.5) / sigma)
    assert abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / n)


class SeesGrey(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[1] == 3
        assert torch.equal(x[:, 0], x[:, 1])
        assert torch.equal(x[:, 0], x[:, 2])
        m = x.mean((1, 2, 3))
        return torch.stack([m, -m], dim=1)


def test_noise_on_a_grey_image_is_grey() -> None:
    smoothed = randomised_smoothing(classifier_of(SeesGrey(), 12, 12, channels=3))
    assert smoothed.predict(torch.rand(2, 1, 12, 12)).logits.shape == (2, 2)


def test_the_gradient_is_the_average_over_the_very_bank_that_decides() -> None:
    net, x, _ = balanced_net(1, 24)
    net.place, net.middle = net.place.double(), net.middle.double()
    smoothed = randomised_smoothing(classifier_of(net.double(), 24, 24), sigma=0.05, n=6)
    leaf = x.double().requires_grad_(True)
    margin = smoothed.decision_logits(leaf)
    (gradient,) = torch.autograd.grad((margin[:, 1] - margin[:, 0]).sum(), leaf)
    step = 1e-6 * torch.from_numpy(np.random.default_rng(0).standard_normal(x.shape))
    with torch.no_grad():
        up, down = smoothed.decision_logits(leaf + step), smoothed.decision_logits(leaf - step)
    numeric = ((up[:, 1] - up[:, 0]) - (down[:, 1] - down[:, 0])).item() / 2
    assert numeric == pytest.approx(float((gradient * step).sum()), rel=1e-4)


def test_every_image_meets_the_same_bank_however_many_come_together() -> None:
    classifier, x, _ = small_classifier()
    smoothed = randomised_smoothing(classifier, n=7)
    many = smoothed.predict(x.repeat(15, 1, 1, 1)).logits  # 90: one copy at a time
    one = smoothed.predict(x[2:3]).logits  # all copies at once
    assert (many[2::6] - one).abs().max() <= 1e-5


def test_a_copy_without_a_finite_answer_leaves_no_finite_answer() -> None:
    class Breaks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            m = torch.where(x[:, 0, 0, 0] > 0.1, torch.nan, 1.0)
            return torch.stack([m, -m], dim=1)

    smoothed = randomised_smoothing(classifier_of(Breaks(), 4, 4), n=32)
    assert smoothed.decide(smoothed.predict(torch.zeros(1, 1, 4, 4)).logits).tolist() == [-1]


@pytest.mark.parametrize("params", [{"sigma": 0.0}, {"sigma": "0.1"}, {"n": 0}, {"seed": -1}])
def test_a_setting_that_means_nothing_is_one_line(params) -> None:
    classifier, _, _ = small_classifier()
    with pytest.raises(HipauditError, match=f"`{next(iter(params))}`"):
        randomised_smoothing(classifier, **params)

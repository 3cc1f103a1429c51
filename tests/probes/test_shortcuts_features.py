"""The features before the last layer: which layer, what goes in, and what is read from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from audit.probes.shortcuts.features import (
    NoFeatures,
    encoded_findings,
    last_layer,
    reduced,
    watched,
)
from tests.probes.shortcut_models import SIDE, Reader, classifier_of
from tests.probes.test_shortcuts_metadata import never, table


def asked(module: nn.Module, n: int = 3) -> np.ndarray:
    classifier = classifier_of(module.eval())
    with watched(last_layer(classifier)) as seen:
        classifier.predict(torch.rand(n, 1, SIDE, SIDE, generator=torch.manual_seed(0)))
    (features,) = seen
    return features


def test_the_features_are_what_goes_into_the_last_linear_layer():
    reader = Reader(lesion=1)
    x = torch.rand(3, 1, SIDE, SIDE, generator=torch.manual_seed(0))
    assert asked(reader) == pytest.approx(reader.features(x).detach().numpy(), abs=1e-6)


def test_squeezenets_features_are_the_pooled_input_of_its_last_convolution():
    net = models.squeezenet1_1(weights=None, num_classes=2).eval()
    net.features[0] = nn.Conv2d(1, 64, 3, 2)
    x = torch.rand(2, 1, SIDE, SIDE, generator=torch.manual_seed(0))
    with torch.no_grad():
        expected = net.features(x).mean((2, 3)).numpy()
    assert asked(net, 2) == pytest.approx(expected, abs=1e-5)


class NoLayer(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([-x.mean((1, 2, 3)), x.mean((1, 2, 3))], dim=1)


def test_a_model_without_such_a_layer_is_refused_by_name():
    with pytest.raises(NoFeatures, match="no linear layer"):
        last_layer(classifier_of(NoLayer()))


def test_more_than_64_features_become_components_and_constants_are_left_out():
    rng = np.random.default_rng(0)
    assert reduced(rng.normal(0, 1, (400, 100))).shape == (400, 64)
    wide = np.concatenate([rng.normal(0, 1, (400, 3)), np.ones((400, 2))], axis=1)
    assert reduced(wide).shape == (400, 3)


def read(seed: int, signal: float) -> tuple[float, float]:
    """Area and p of a scanner read from 10 features; the label is in them, and goes with it."""
    rng = np.random.default_rng(seed)
    broken = rng.random(300) < 0.4
    scanner = rng.random(300) < np.where(broken, 0.75, 0.25)
    features = rng.normal(0, 1, (300, 10))
    features[:, 0] += 3 * broken
    features[:, 1] += signal * scanner
    found = table(broken, {"scanner": np.where(scanner, "B", "A")})
    (one,) = encoded_findings(found, np.arange(300), features, 0, never)
    return one.value, one.p


def test_what_only_the_label_explains_is_not_called_encoded():
    found = [read(seed, 0.0) for seed in range(60)]
    assert np.mean([area for area, _ in found]) == pytest.approx(0.5, abs=0.02)
    assert sum(p < 0.01 and area > 0.5 for area, p in found) <= 2


def test_what_is_encoded_beside_the_label_is_read():
    area, p = read(0, 1.0)
    assert 0.65 < area < 0.85  # Φ(1/√2) = .76 without the fit's error
    assert p < 1e-4

"""The network that the benchmark attacks decides, and its peers' view of it is the same."""

from __future__ import annotations

import pytest
import torch
import torchvision

from audit.cases.arrays import from_arrays
from audit.classifier import Classifier
from audit.results import Preparation
from benchmarks.peers.subject import Whole, described, fit, last_layer, textures


@pytest.mark.parametrize("architecture", ["squeezenet1_1", "resnet18"])
def test_a_fitted_head_on_random_weights_tells_the_textures_apart(architecture: str) -> None:
    torch.manual_seed(0)
    network = torchvision.models.get_model(architecture, weights=None, num_classes=2).eval()
    way = Preparation(height=64, width=64)
    classifier = Classifier(network, described(architecture, way))
    fit(classifier, from_arrays(*textures(32, 64, seed=0)))
    cases = list(from_arrays(*textures(24, 64, seed=1)))
    x = torch.stack([classifier.prepare(case) for case in cases])
    logits = classifier.predict(x).logits
    right = classifier.decide(logits) == classifier.targets(cases).numpy()
    assert right.mean() > 0.7
    assert torch.equal(Whole(network, way)(x).detach(), logits)


def test_the_last_layer_is_the_one_that_gives_the_logits() -> None:
    for architecture in ("squeezenet1_1", "alexnet", "resnet18"):
        network = torchvision.models.get_model(architecture, weights=None, num_classes=2)
        assert last_layer(network).weight.shape[0] == 2

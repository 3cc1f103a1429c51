"""Grad-CAM maps against maps worked out by hand, for the study's architectures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from audit.classifier import Classifier
from audit.probes.gradcam.probe import NoMap, grad_cam
from audit.results import ModelDescription, Preparation

SIDE = 96
# layer as torchvision names it; the layer at its output, after the activation
LAYERS = {
    "alexnet": "features.11",
    "vgg19": "features.35",
    "vgg19_bn": "features.51",
    "resnet50": "layer4.2",
    "resnet152": "layer4.2",
    "squeezenet1_0": "features.12",
    "squeezenet1_1": "features.12",
    "densenet121": "features",
    "densenet169": "features",
}
SLOW = {"vgg19", "vgg19_bn", "resnet152", "densenet169"}


def network(name: str, head: str) -> nn.Module:
    """Random weights; `head` "native" with 3 classes or "replaced" by one of fastai's shape."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = getattr(models, name)(weights=None, num_classes=3)
        width = {"resnet": 2048, "alexnet": 9216, "vgg": 25088}
        if head == "replaced":
            put_head(net, name, width)
        return net.eval()


def put_head(net: nn.Module, name: str, width: dict[str, int]) -> None:
    def tail(size: int) -> nn.Module:
        return nn.Sequential(nn.Linear(size, 16), nn.ReLU(inplace=True), nn.Linear(16, 2))

    if name.startswith("resnet"):
        net.fc = tail(width["resnet"])
    elif name.startswith("densenet"):
        net.classifier = tail(net.classifier.in_features)
    elif name.startswith("squeezenet"):
        net.classifier[1] = nn.Conv2d(512, 2, 1)
    else:
        net.classifier = tail(width["alexnet" if name == "alexnet" else "vgg"])


def described(module: nn.Module, layer: str | None, classes: int, channels: int = 3) -> Classifier:
    description = ModelDescription(
        name="net",
        architecture="net",
        classes=tuple("abc"[:classes]),
        positive_class="a",
        cam_layer=layer,
        preparation=Preparation(
            height=SIDE,
            width=SIDE,
            channels=channels,
            mean=(0.5,) * channels,
            std=(0.25,) * channels,
        ),
    )
    return Classifier(module, description)


def map_of(activation: Tensor, score: Tensor) -> np.ndarray:
    """The definition: relu of the activations weighted by their mean gradients."""
    (gradient,) = torch.autograd.grad(score, activation)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return F.relu((weights * activation).sum(1))[0].detach().numpy()


def by_hand(net: nn.Module, name: str, x: Tensor, target: int) -> np.ndarray:
    """The network taken apart where its own `forward` takes the last map, nothing hooked."""
    z = ((x[None].expand(-1, 3, -1, -1) - 0.5) / 0.25).requires_grad_(True)
    if name.startswith("resnet"):
        early = net.maxpool(F.relu(net.bn1(net.conv1(z))))
        last = net.layer4(net.layer3(net.layer2(net.layer1(early))))
        out = net.fc(torch.flatten(net.avgpool(last), 1))
    elif name.startswith("densenet"):
        last = F.relu(net.features(z))
        out = net.classifier(torch.flatten(F.adaptive_avg_pool2d(last, 1), 1))
    elif name.startswith("squeezenet"):
        last = net.features(z)
        out = torch.flatten(net.classifier(last), 1)
    else:  # features without its last max-pooling
        last = net.features[:-1](z)
        out = net.classifier(torch.flatten(net.avgpool(net.features[-1](last)), 1))
    return map_of(last, out[0, target])


def radiograph(seed: int = 0) -> Tensor:
    noise = torch.from_numpy(np.random.default_rng(seed).random((1, 1, SIDE, SIDE), "f4"))
    return F.avg_pool2d(noise, 5, 1, 2)[0]


@pytest.mark.parametrize("head", ["native", "replaced"])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in LAYERS]
)
def test_the_map_equals_the_one_worked_out_by_hand(name: str, head: str) -> None:
    net = network(name, head)
    classes = 3 if head == "native" else 2
    x = radiograph()
    cam = grad_cam(described(net, LAYERS[name], classes))
    ours = [cam(x, target) for target in range(classes)]
    for target, mine in enumerate(ours):
        theirs = by_hand(net, name, x, target)
        assert mine.shape == theirs.shape
        scale = max(theirs.max(), 1e-12)
        assert np.abs(mine / scale - theirs / scale).max() <= 1e-5
    assert max(mine.max() for mine in ours) > 0


def test_a_layer_before_an_in_place_relu_gives_the_map_after_it() -> None:
    net = network("alexnet", "native")
    x = radiograph()
    before = [grad_cam(described(net, "features.10", 3))(x, target) for target in range(3)]
    for target, mine in enumerate(before):
        theirs = by_hand(net, "alexnet", x, target)
        assert np.abs(mine - theirs).max() <= 1e-5 * max(theirs.max(), 1e-12)


def test_the_library_alone_is_wrong_on_densenet_so_the_care_is_needed() -> None:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    net = network("densenet121", "native")
    x = radiograph()
    z = ((x[None].expand(-1, 3, -1, -1) - 0.5) / 0.25).requires_grad_(True)
    worst = 0.0
    for target in range(3):
        plain = GradCAM(net, [net.features])
        plain(z, [ClassifierOutputTarget(target)])
        kept = plain.activations_and_grads
        weights = kept.gradients[0].mean((2, 3), keepdim=True)
        naive = F.relu((weights * kept.activations[0]).sum(1))[0].numpy()
        kept.release()
        theirs = by_hand(net, "densenet121", x, target)
        scale = max(theirs.max(), 1e-12)
        worst = max(worst, float(np.abs(naive - theirs).max() / scale))
    assert worst > 0.01


class TwoMaps(nn.Module):
    """Map 0 sees bright, map 1 dark; class a is map 0's mean, class b the negative of both."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(inplace=True))
        with torch.no_grad():
            self.map[0].weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
            self.map[0].bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        means = self.map(x).mean((2, 3))
        return torch.stack([means[:, 0], -means.sum(1)], dim=1)


def test_a_planted_region_is_where_the_map_is_and_no_evidence_is_all_zero() -> None:
    x = torch.zeros(1, SIDE, SIDE)
    x[:, 10:20, 40:60] = 1.0  # normalised: +2 inside, -2 outside
    cam = grad_cam(described(TwoMaps(), "map", 2, channels=1))
    heat = cam(x, 0)
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[10:20, 40:60] = True
    assert heat[inside] == pytest.approx(2 / SIDE**2)
    assert not heat[~inside].any()
    assert not cam(x, 1).any()


def test_the_module_is_left_as_it_was() -> None:
    module = TwoMaps()
    classifier = described(module, "map", 2, channels=1)
    x = radiograph()
    before = classifier.predict(x[None]).logits
    grad_cam(classifier)(x, 0)
    assert torch.equal(classifier.predict(x[None]).logits, before)
    assert not module.map._forward_hooks
    assert all(p.grad is None for p in module.parameters())


class Tokens(nn.Module):
    """A layer that gives (N, tokens, channels) as a vision transformer does."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(SIDE, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x[:, 0]).mean(1)


class Twice(TwoMaps):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + super().forward(1 - x)


@pytest.mark.parametrize(
    ("module", "layer", "why"), [(Tokens(), "mix", "no map"), (Twice(), "map", "2 times")]
)
def test_a_layer_without_one_map_per_image_is_refused(module, layer, why) -> None:
    cam = grad_cam(described(module, layer, 2, channels=1))
    with pytest.raises(NoMap, match=why):
        cam(radiograph(), 0)

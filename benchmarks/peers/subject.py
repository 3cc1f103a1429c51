"""The network under attack and its images: made here in seconds, right on most, easily fooled.

Random weights decide alike on everything, so nothing could be attacked. Here the body keeps its
random weights, batch norm learns the statistics of the images, and the head is fitted.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torchvision
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional as F

from audit.cases.arrays import from_arrays
from audit.cases.case import Case
from audit.classifier import Classifier
from audit.results import ModelDescription, Preparation
from audit.speed.search import Search, search_with
from audit.speed.trial import FEW, fastest

CLASSES = ("fracture", "normal")
FITTED_ON = 96
PROMISED = 600.0  # seconds of work that a trial is told of: too few to compile for


@dataclass(frozen=True)
class Subject:
    """`cases`: decided correctly, in the order of their ids; `x` (N, 1, H, W), `y` (N,) beside
    them. `search`: what an audit searches with; `quickest`: what it would after a quick trial.
    `peer`: the same function of x as one nn.Module. `network`: the untouched one, inside."""

    architecture: str
    classifier: Classifier
    search: Search
    quickest: Search
    peer: Whole
    cases: list[Case]
    x: Tensor
    y: Tensor
    clean_accuracy: float

    def nearest(self, count: int) -> Subject:
        """The `count` cases that the least margin keeps from falling, nearest first."""
        logits = torch.cat([self.classifier.predict(part).logits for part in self.x.split(8)])
        order = (logits[:, 0] - logits[:, 1]).abs().argsort(stable=True)[:count].tolist()
        cases = [self.cases[i] for i in order]
        return replace(self, cases=cases, x=self.x[order], y=self.y[order])

    @property
    def network(self) -> nn.Module:
        return self.classifier.module

    @property
    def device(self) -> str:
        return str(self.classifier.device)

    def fooled(self, images: Tensor) -> npt.NDArray[np.bool_]:
        """(M,) decided otherwise than the first M cases are, by the untouched network."""
        decided = self.classifier.decide(self.classifier.predict(images).logits)
        return np.asarray(decided != self.y[: len(images)].numpy())


class Whole(nn.Module):
    """(N, 1, H, W) in [0, 1] -> logits: expansion, normalisation and the network, for peers."""

    def __init__(self, network: nn.Module, way: Preparation) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(way.mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(way.std).view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.expand(-1, 3, -1, -1)
        logits: Tensor = self.network((wide - self.mean) / self.std)
        return logits


def textures(count: int, size: int, seed: int) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """Smooth grey noise; a fine grating, strong or weak, marks the fractures."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size]
    images, labels = [], []
    for number in range(count):
        coarse = torch.from_numpy(draw.normal(0, 1, (1, 1, 8, 8)))
        ground = F.interpolate(coarse, size=(size, size), mode="bicubic")[0, 0].numpy()
        strength = (0.12 if number % 2 else 0.0) + draw.normal(0, 0.03)
        wave = np.sin(2 * np.pi * (rows + columns) / 6 + draw.uniform(0, 6))
        level = 0.5 + 0.12 * ground + strength * wave + draw.normal(0, 0.02, (size, size))
        images.append(np.round(np.clip(level, 0, 1) * 255).astype(np.uint8))
        labels.append(CLASSES[0] if number % 2 else CLASSES[1])
    return np.stack(images), labels


def make_subject(architecture: str, images: int, size: int, device: str, seed: int = 0) -> Subject:
    """A network of torchvision's with a fitted head, and `images` cases it decides correctly."""
    torch.manual_seed(seed)
    network = torchvision.models.get_model(architecture, weights=None, num_classes=2).eval()
    way = Preparation(height=size, width=size)
    classifier = Classifier(network, described(architecture, way), device=device)
    fit(classifier, from_arrays(*textures(FITTED_ON, size, seed)))
    pixels, labels = textures(3 * images, size, seed + 1)
    cases = list(from_arrays(pixels, labels))
    x = torch.stack([classifier.prepare(case) for case in cases])
    y = classifier.targets(cases)
    logits = torch.cat([classifier.predict(part).logits for part in x.split(8)])
    right = classifier.decide(logits) == y.numpy()
    kept = np.flatnonzero(right)[:images]
    if len(kept) < images:
        raise RuntimeError(f"{architecture} decides only {len(kept)} of {len(x)} images correctly")
    search = search_with(classifier, x[kept[:FEW]])
    how = fastest(classifier, x[kept[: 2 * FEW]], search, PROMISED)
    return Subject(
        architecture=architecture,
        classifier=classifier,
        search=search,
        quickest=search if how == search.how else search_with(classifier, x[kept[:FEW]], how),
        peer=as_loaded(network, way).to(classifier.device).eval(),
        cases=[cases[i] for i in kept],
        x=x[kept],
        y=y[kept],
        clean_accuracy=float(right.mean()),
    )


def as_loaded(network: nn.Module, way: Preparation) -> Whole:
    """A copy for peers with its weights in the order in which torchvision loads them.

    A Classifier lays them out channels last, which is part of what is compared.
    """
    own = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    return Whole(own, way)


def described(architecture: str, way: Preparation) -> ModelDescription:
    return ModelDescription(
        name=architecture,
        architecture=architecture,
        classes=CLASSES,
        positive_class=CLASSES[0],
        preparation=way,
    )


def fit(classifier: Classifier, cases: Iterable[Case]) -> None:
    """Batch-norm statistics from the cases, then the last layer by logistic regression."""
    cases = list(cases)
    x = torch.stack([classifier.prepare(case) for case in cases])
    y = classifier.targets(cases).numpy()
    settle(classifier, x[:16])
    layer = last_layer(classifier.module)
    given: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0].detach()))
    for part in x.split(8):
        classifier.predict(part)
    hook.remove()
    features = torch.cat(given).flatten(2).mean(2) if given[0].ndim == 4 else torch.cat(given)
    scale = StandardScaler().fit(features.cpu().numpy())
    found = LogisticRegression(max_iter=1000).fit(scale.transform(features.cpu().numpy()), y)
    weights = torch.from_numpy(found.coef_[0] / scale.scale_).float()
    bias = float(found.intercept_[0] - (weights.double() @ torch.from_numpy(scale.mean_)))
    put(layer, weights, bias, torch.cat(given))


def put(layer: nn.Linear | nn.Conv2d, weights: Tensor, bias: float, given: Tensor) -> None:
    """Class 1 above class 0 by the fitted score. SqueezeNet has a ReLU after its last layer:
    a common offset keeps both logits above 0 there and changes no decision."""
    sides = torch.tensor([-0.5, 0.5])
    offset = 0.0
    if isinstance(layer, nn.Conv2d):
        score = torch.einsum("nchw,c->nhw", given.cpu(), weights) + bias
        offset = 2 * float(score.abs().max())
    with torch.no_grad():
        layer.weight.copy_((sides[:, None] * weights).view_as(layer.weight))
        if layer.bias is not None:
            layer.bias.copy_(sides * bias + offset)


def settle(classifier: Classifier, x: Tensor) -> None:
    """Running statistics of every batch norm from these images."""
    norms = [part for part in classifier.module.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the average over all batches
        norm.train()
    for part in x.split(8) if norms else ():
        classifier.predict(part)
    for norm in norms:
        norm.momentum = 0.1
        norm.eval()


def last_layer(network: nn.Module) -> nn.Linear | nn.Conv2d:
    """The last layer with weights: torchvision's fc, or the end of its classifier."""
    return [part for part in network.modules() if isinstance(part, nn.Linear | nn.Conv2d)][-1]

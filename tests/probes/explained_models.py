"""Small networks whose heat maps are known to be evidence, or known not to be."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.evidence import Predictions, Rows, RunEvidence, Subject
from audit.probes.registry import Examination, Picture, get_probe
from audit.results import DataDescription, ModelDescription, PlannedRun, Preparation, ProbeReport

SIDE = 32
PATCH = 6
CLASSES = ("normal", "fracture")


def scenes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, SIDE, SIDE) grey bodies with texture, labels (n,), corners (n, 2) of a checkered patch.

    Only class 1 has the patch, anywhere in the image; its corner is (row, column).
    """
    rng = np.random.default_rng(seed)
    columns = np.arange(SIDE) / SIDE
    middle, wide = rng.uniform(0.4, 0.6, (n, 1)), rng.uniform(0.15, 0.3, (n, 1))
    body = 0.5 * np.exp(-(((columns - middle) / wide) ** 2))[:, None]
    grain = torch.from_numpy(rng.normal(0, 0.25, (n, 1, SIDE, SIDE)))
    images = (0.2 + body + F.avg_pool2d(grain, 3, 1, 1)[:, 0].numpy()).astype(np.float32)
    labels = np.arange(n) % 2
    corners = rng.integers(2, SIDE - PATCH - 2, (n, 2))
    checkered = 0.35 * (np.indices((PATCH, PATCH)).sum(0) % 2)
    for i in np.flatnonzero(labels):
        row, column = corners[i]
        images[i, row : row + PATCH, column : column + PATCH] += checkered
    return images.clip(0, 1), labels, corners


def cases(n: int = 32, seed: int = 1, per_patient: int = 1) -> Cases:
    images, labels, corners = scenes(n, seed)

    def one(i: int) -> Case:
        row, column = (int(place) for place in corners[i])
        box = (column, row, column + PATCH, row + PATCH)
        return Case(
            id=f"{i:08x}",
            label=CLASSES[labels[i]],
            load=lambda: images[i],
            patient=f"P{i // per_patient:04d}",
            shape=(SIDE, SIDE),
            boxes=(box,) if labels[i] else (),
        )

    return Cases([one(i) for i in range(n)], DataDescription(layout="planted", cases=n))


def classifier_of(module: nn.Module, layer: str | None = "seen") -> Classifier:
    description = ModelDescription(
        name="planted",
        architecture="planted",
        classes=CLASSES,
        positive_class="fracture",
        cam_layer=layer,
        preparation=Preparation(height=SIDE, width=SIDE, channels=1, mean=(0.5,), std=(0.25,)),
    )
    return Classifier(module, description)


class Net(nn.Module):
    """Convolutions up to `seen` (8 × 8), then their mean and a linear layer."""

    def __init__(self, *, norm: bool = False, width: int = 8, grid: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        sizes = [1, width, 2 * width, 4 * width]
        for place, (before, after) in enumerate(pairwise(sizes)):
            layers += [nn.Conv2d(before, after, 3, padding=1)]
            layers += [nn.BatchNorm2d(after)] if norm else []
            layers += [nn.ReLU()] + ([nn.MaxPool2d(2)] if place < 2 else [])
        self.seen = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(grid)
        self.head = nn.Linear(sizes[-1] * grid**2, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.pool(self.seen(x)).flatten(1))
        return out


class ShowsTheInput(nn.Module):
    """Its map is the image itself: `seen` is the brightness, before any weight; decides as `net`.

    `seen` reaches the score with a little weight, so that it has a gradient.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.seen, self.net = nn.Identity(), net
        self.gain = nn.Parameter(torch.tensor([1e-3, 2e-3]))

    def forward(self, x: Tensor) -> Tensor:
        bright = self.seen(x * 0.25 + 0.5)
        out: Tensor = self.net(x) + self.gain * bright.mean((2, 3))
        return out


class ShowsNothing(nn.Module):
    """Its map is a pattern that has nothing to do with the score, made by weights of its own."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.mix, self.seen, self.net = nn.Conv2d(1, 1, 4, stride=4), nn.ReLU(), net
            self.phase = nn.Parameter(3 * torch.randn(1, 1, SIDE // 4, SIDE // 4))
        self.gain = nn.Parameter(torch.tensor([1e-3, 1e-3]))

    def forward(self, x: Tensor) -> Tensor:
        pattern = self.seen(1 + torch.sin(40 * self.mix(x) + self.phase))
        out: Tensor = self.net(x) + self.gain * pattern.mean((2, 3))
        return out


@cache
def trained(seed: int = 0, *, norm: bool = False, grid: int = 1, epochs: int = 8) -> nn.Module:
    """A Net that has learnt to see the patch."""
    images, labels, _ = scenes(256, 100 + seed)
    x, y = (torch.from_numpy(images)[:, None] - 0.5) / 0.25, torch.from_numpy(labels)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Net(norm=norm, grid=grid)
        optimiser = torch.optim.Adam(net.parameters(), 4e-3)
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(32):
                optimiser.zero_grad()
                F.cross_entropy(net(x[rows]), y[rows]).backward()
                optimiser.step()
    return net.eval()


def sight_of(model: Classifier, listed: Cases, keep=None, seed: int = 7, **params) -> Examination:
    """An Examination of clean predictions."""
    pictures: list[Picture] = []
    kept = keep or pictures.append
    return Examination(model, listed, clean_table(model, listed), seed, 16, kept, dict(params))


def clean_table(model: Classifier, listed: Cases) -> Predictions:
    """What the model says of every case without stress."""
    x = torch.stack([model.prepare(case) for case in listed])
    n = len(listed)
    rows = Rows(
        case=np.arange(n),
        variant=np.zeros(n, np.int64),
        logits=model.predict(x).logits.numpy(),
        referred=np.zeros(n, bool),
        success=np.full(n, -1, np.int8),
        success_8bit=np.full(n, -1, np.int8),
        queries=np.full(n, -1),
        variants=({},),
        found=({},) * n,
    )
    clean = PlannedRun(id="clean", stress="clean", kind="clean", sample=n, of=n)
    return Predictions(
        tuple(Subject(c.id, model.classes.index(c.label), c.patient, c.attributes) for c in listed),
        model.classes,
        model.decision,
        (RunEvidence(clean, np.arange(n), rows),),
    )


def explained(model: Classifier, listed: Cases, **params) -> ProbeReport:
    return get_probe("explanations")(sight_of(model, listed, **params))

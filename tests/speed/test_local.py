"""Following a pixel locally gives the logits of whole images, wherever the pixel and the cut."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models import vgg

from audit.classifier import Classifier
from audit.results import ModelDescription, Preparation
from audit.speed.local import local_scorer
from audit.speed.local_graph import traced
from audit.speed.local_plan import cut_at, ideal_gain
from audit.speed.local_run import Compiled, LocalImage
from audit.speed.pixels import pixel_scorer
from audit.speed.search import fused

NETWORKS = ("squeezenet1_1", "resnet18", "densenet121")
SLOW = ("alexnet", "vgg19", "vgg19_bn", "resnet50", "squeezenet1_0", "googlenet")


def randomised(module):
    """Weights that carry the pixel through, statistics that a wrong norm would not survive."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 2.0)
    return module.eval()


def torchvision_net(name):
    torch.manual_seed(0)
    options = {"init_weights": True} if name == "googlenet" else {}
    return randomised(torchvision.models.get_model(name, num_classes=2, **options))


def classifier_of(module, height, width, threshold=None):
    way = Preparation(
        height=height,
        width=width,
        channels=3,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    description = ModelDescription(
        name="net",
        architecture="net",
        classes=("a", "b"),
        positive_class="b",
        preparation=way,
        threshold=threshold,
    )
    return Classifier(module, description)


def places(height, width, candidates=6):
    """Corners, edges, centre and some more."""
    bottom, right = height - 1, width - 1
    fixed = [(0, 0), (0, right), (bottom, 0), (bottom, right), (height // 2, width // 2)]
    fixed += [(0, width // 3), (height // 3, right), (bottom, 5), (7, 0), (1, 1)]
    generator = torch.Generator().manual_seed(3)
    drawn = torch.rand(candidates, 2, generator=generator) * torch.tensor([height, width])
    both = torch.cat([torch.tensor(fixed), drawn.long()])
    return both[:, :1], both[:, 1:]


def whole(model, x, rows, cols, values):
    """Decision logits of the images made one by one, and how far they move from the clean ones."""
    images = torch.stack([x] * len(rows))
    for image, row, col, value in zip(images, rows, cols, values, strict=True):
        image[:, row[0], col[0]] = value[0]
    with torch.no_grad():
        return model.decision_logits(images), model.decision_logits(x[None])


def assert_the_same(model, x, score):
    rows, cols = places(*x.shape[-2:])
    values = torch.rand(len(rows), 1, x.shape[0], generator=torch.Generator().manual_seed(4))
    wanted, clean = whole(model, x, rows, cols, values)
    scale = wanted.abs().max().clamp_min(1.0)
    moved = (wanted - clean).abs().max()
    for _ in range(2):  # the second call finds the buffers restored
        wrong = (score(rows, cols, values) - wanted).abs().max()
        assert wrong <= 1e-4 * scale
        assert wrong <= 0.01 * moved, "the pixel itself must be seen"


@pytest.mark.parametrize(
    "name", [*NETWORKS, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
def test_a_torchvision_network_gives_the_logits_of_whole_images(name):
    model = classifier_of(torchvision_net(name), 81, 96)
    x = torch.rand(1, 81, 96, generator=torch.Generator().manual_seed(2))
    score = local_scorer(model, x, least_gain=1.0)
    assert score is not None
    assert_the_same(model, x, score)


@pytest.mark.parametrize("norms", [False, True])
def test_the_features_of_vgg19_under_a_small_head_give_the_logits_of_whole_images(norms):
    torch.manual_seed(0)
    features = vgg.make_layers(vgg.cfgs["E"], norms)
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(2048, 2)]
    model = classifier_of(randomised(nn.Sequential(features, *head)), 65, 72)
    x = torch.rand(1, 65, 72, generator=torch.Generator().manual_seed(2))
    score = local_scorer(model, x, least_gain=1.0)
    assert score is not None
    assert_the_same(model, x, score)


def test_the_features_of_alexnet_under_a_small_head_give_the_logits_of_whole_images():
    torch.manual_seed(0)
    first = [nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)]
    then = [nn.Conv2d(64, 96, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)]
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(384, 2)]
    model = classifier_of(randomised(nn.Sequential(*first, *then, *head)), 96, 95)
    x = torch.rand(1, 96, 95, generator=torch.Generator().manual_seed(2))
    score = local_scorer(model, x, least_gain=1.0)
    assert score is not None
    assert_the_same(model, x, score)


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18"])
def test_a_network_with_fused_norms_gives_the_logits_of_whole_images(name):
    network = fused(torchvision_net(name)).to(memory_format=torch.channels_last)
    model = classifier_of(network, 64, 65)
    x = torch.rand(3, 64, 65, generator=torch.Generator().manual_seed(2))
    score = local_scorer(model, x, least_gain=1.0)
    assert score is not None
    assert_the_same(model, x, score)


class Mixed(nn.Module):
    """Dilation, groups, strides above the kernel, ceil mode, branches of unequal reach."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, (3, 5), stride=(1, 2), padding=(1, 0))
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.dilated = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4, bias=False)
        self.wide = nn.Conv2d(8, 4, 1, padding=1)
        self.mean = nn.AvgPool2d(3, 1, padding=0)
        self.act = nn.PReLU(8, 0.2)
        self.skip = nn.Conv2d(12, 6, 2, stride=3)
        self.point = nn.Conv2d(12, 6, 1, stride=3)
        self.bare = nn.BatchNorm2d(6, affine=False)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        x = self.pool(self.relu(self.norm(self.first(x))))
        side = self.act(self.dilated(x))
        side += x
        x = torch.cat([side, self.mean(self.wide(x))], 1)
        short, long = self.point(x), self.skip(x)
        height, width = 3, 2
        x = F.relu(short[:, :, :height, :width]) + self.bare(long)[:, :, :height, :width]
        return self.head(x.mean((2, 3)))


class Branches(nn.Module):
    """A residual block with a stride, a pool beside it, and a shared activation."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=3, padding=1)
        self.a = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.b = nn.Conv2d(8, 8, 3, padding=1)
        self.short = nn.Conv2d(8, 8, 1, stride=2)
        self.pool = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.padded = nn.AvgPool2d(3, 1, 1)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        x = self.relu(self.stem(x))
        y = self.relu(self.b(self.relu(self.a(x))) + self.short(x))
        z = torch.cat((self.padded(y), self.pool(x)), dim=1)
        return self.head(torch.flatten(F.adaptive_avg_pool2d(z, 1), 1))


@pytest.mark.parametrize(
    ("build", "understood", "height", "width"), [(Mixed, 12, 17, 19), (Branches, 11, 23, 17)]
)
def test_every_place_and_every_cut_of_an_odd_network_give_the_same(
    build, understood, height, width
):
    torch.manual_seed(1)
    module = randomised(build())
    x = torch.rand(3, height, width)
    grid = torch.cartesian_prod(torch.arange(height), torch.arange(width))
    values = torch.rand(len(grid), 3)
    images = torch.stack([x] * len(grid))
    for image, (row, col), value in zip(images, grid, values, strict=True):
        image[:, row, col] = value
    with torch.no_grad():
        wanted = module(images)
        network = traced(module, tuple(x.shape))
        assert network is not None
        assert len(network.ops) >= understood
        for cut in range(1, len(network.ops) + 1):
            image = LocalImage(Compiled(cut_at(network, cut), torch.device("cpu")), x[None])
            found = image.logits(grid[:, 0], grid[:, 1], values)
            assert (found - wanted).abs().max() <= 1e-5, cut


def two_layers():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, padding=1), nn.Flatten(),
        nn.Linear(2 * 32 * 32, 2),
    )  # fmt: skip


def test_the_ideal_gain_is_the_ratio_of_operations_counted_by_hand():
    first, second, last = 2 * 9 * 4, 2 * 9 * 4 * 2, 2 * 2 * 32 * 32 * 2
    dense = (first + second) * 32 * 32 + last
    local = first * 3 * 3 + second * 5 * 5 + last
    assert ideal_gain(two_layers(), (1, 32, 32)) == pytest.approx(dense / local, rel=1e-12)


def test_a_network_that_sees_everything_at_once_has_nothing_to_gain():
    at_once = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
    assert ideal_gain(at_once, (3, 8, 8)) == 1.0
    assert local_scorer(classifier_of(at_once, 8, 8), torch.rand(3, 8, 8)) is None


def local_net():
    torch.manual_seed(0)
    features = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))


class Depends(nn.Module):
    """Cannot be traced: what is computed depends on what is seen."""

    def __init__(self):
        super().__init__()
        self.net = local_net()

    def forward(self, x):
        return self.net(x) if x.mean() > 0 else -self.net(x)


class Lies(nn.Module):
    """Shows a tracer another function than it computes."""

    def __init__(self):
        super().__init__()
        self.net = local_net()

    def forward(self, x):
        return self.net(x) * (1.01 if isinstance(x, torch.Tensor) else 1.0)


@pytest.mark.parametrize("build", [Depends, Lies])
def test_a_network_that_cannot_be_followed_is_scored_by_whole_images(build):
    model, x = classifier_of(build(), 32, 32), torch.rand(3, 32, 32)
    assert local_scorer(classifier_of(local_net(), 32, 32), x) is not None
    assert local_scorer(model, x) is None
    assert_the_same(model, x, pixel_scorer(model, x))


def test_a_defended_classifier_is_scored_by_whole_images():
    model, x = classifier_of(local_net(), 32, 32), torch.rand(1, 32, 32)
    defended = model.derived(lambda images: 2 * model.logits(images))
    assert local_scorer(defended, x) is None
    assert_the_same(defended, x, pixel_scorer(defended, x))


def test_the_threshold_moves_local_logits_as_it_moves_others():
    model, x = classifier_of(local_net(), 32, 32, threshold=0.2), torch.rand(1, 32, 32)
    score = local_scorer(model, x)
    assert score is not None
    assert_the_same(model, x, score)


def test_weights_that_change_are_noticed():
    model, x = classifier_of(local_net(), 32, 32), torch.rand(3, 32, 32)
    assert local_scorer(model, x) is not None
    with torch.no_grad():
        model.module[0].weight.mul_(-2.0)
    score = local_scorer(model, x)
    assert score is not None
    assert_the_same(model, x, score)


def test_every_candidate_counts_as_one_forward_and_the_trial_as_none():
    model, x = classifier_of(local_net(), 32, 32), torch.rand(3, 32, 32)
    score = local_scorer(model, x)
    assert score is not None
    assert model.forwards == 0
    rows, cols = places(32, 32)
    score(rows, cols, torch.rand(len(rows), 1, 3))
    assert model.forwards == len(rows)


def test_a_candidate_scores_the_same_in_any_company():
    model, x = classifier_of(local_net(), 32, 32), torch.rand(3, 32, 32)
    score = pixel_scorer(model, x)
    rows, cols = places(32, 32)
    values = torch.rand(len(rows), 1, 3)
    together = score(rows, cols, values)
    alone = torch.cat(
        [score(rows[i : i + 1], cols[i : i + 1], values[i : i + 1]) for i in range(9)]
    )
    assert (together[:9] - alone).abs().max() <= 1e-5
    assert not together.requires_grad
    assert together.dtype == torch.float32


def test_several_pixels_per_candidate_go_through_whole_images():
    model, x = classifier_of(local_net(), 32, 32), torch.rand(3, 32, 32)
    rows, cols = torch.tensor([[1, 30]]), torch.tensor([[2, 29]])
    values = torch.rand(1, 2, 3)
    image = x.clone()
    image[:, 1, 2], image[:, 30, 29] = values[0, 0], values[0, 1]
    with torch.no_grad():
        wanted = model.decision_logits(image[None])
    assert (pixel_scorer(model, x)(rows, cols, values) - wanted).abs().max() <= 1e-6


def test_a_network_that_is_gone_leaves_nothing_behind():
    model, x = classifier_of(local_net(), 32, 32), torch.rand(3, 32, 32)
    network = weakref.ref(model.module)
    assert local_scorer(model, x) is not None
    del model
    gc.collect()
    assert network() is None


def test_a_logit_that_is_not_finite_is_not_hidden():
    module = local_net()
    with torch.no_grad():
        module[-1].bias.fill_(torch.nan)
    model, x = classifier_of(module, 32, 32), torch.rand(3, 32, 32)
    rows, cols = places(32, 32)
    assert pixel_scorer(model, x)(rows, cols, torch.rand(len(rows), 1, 3)).isnan().all()

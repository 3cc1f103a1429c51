"""Layer groups: every parameter once, cut where fastai cuts, each at its rate."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from audit.checkpoints.architectures import build, shapes_only
from audit.errors import HipauditError
from trainers.architectures import NEXT, ROWS, STUDY, architecture, hub_file
from trainers.fitting.groups import freeze, layer_groups, peaks
from trainers.recipe import Recipe

# fastai 1.0.52, vision/learner.py: `m[0][6]` and so on, m being body and head.
FASTAI = {
    **dict.fromkeys(("resnet18", "resnet50", "resnet152"), lambda m: (m[0][6], m[1])),
    **dict.fromkeys(("densenet121", "densenet169"), lambda m: (m[0][0][7], m[1])),
    **dict.fromkeys(
        ("squeezenet1_0", "squeezenet1_1"), lambda m: (m[0][0][5], m[0][0][8], m[1])
    ),
    "vgg19_bn": lambda m: (m[0][0][22], m[1]),
    "alexnet": lambda m: (m[0][0][6], m[1]),
}  # fmt: skip


@cache
def shapes(name, head):
    return shapes_only(lambda: build(name, 2, head))


@pytest.mark.parametrize("head", ["concat-pool", "native", "torchvision"])
@pytest.mark.parametrize("name", ROWS)
def test_the_groups_hold_every_parameter_once(name, head):
    module = shapes(name, head)
    groups = layer_groups(module, name)
    assert len(groups) == (4 if name.startswith("squeezenet") else 3)
    held = [id(p) for group in groups for p in group.values()]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in module.parameters()}
    assert all(groups)


@pytest.mark.parametrize("name", FASTAI)
def test_the_groups_of_the_pooled_form_are_those_of_fastai(name):
    module = shapes(name, "concat-pool")
    leaves = [part for part in module.modules() if not list(part.children())]
    starts = [
        next(p for p in cut.modules() if not list(p.children())) for cut in FASTAI[name](module)
    ]
    at = [next(i for i, leaf in enumerate(leaves) if leaf is start) for start in starts]
    expected = [
        {id(p) for leaf in leaves[low:high] for p in leaf.parameters()}
        for low, high in zip([0, *at], [*at, len(leaves)], strict=True)
    ]
    found = [{id(p) for p in group.values()} for group in layer_groups(module, name)]
    assert found == expected


@pytest.mark.parametrize("name", ROWS)
def test_the_native_form_is_cut_where_the_pooled_form_is(name):
    pooled, native = (layer_groups(shapes(name, h), name) for h in ("concat-pool", "native"))
    for ours, theirs in zip(pooled[:-1], native[:-1], strict=True):
        assert [p.shape for p in ours.values()] == [p.shape for p in theirs.values()]


def test_a_network_without_a_row_has_body_and_head():
    module = shapes("mobilenet_v3_small", "native")
    body, head = layer_groups(module, "mobilenet_v3_small")
    assert {name.split(".")[0] for name in head} == {"classifier"}
    assert len(body) + len(head) == len(list(module.parameters()))
    pooled = layer_groups(shapes("mobilenet_v3_small", "concat-pool"), "mobilenet_v3_small")
    assert {name.split(".")[0] for name in pooled[-1]} == {"1"}
    own = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 2))
    assert [list(group) for group in layer_groups(own, "their own")] == [
        ["0.weight", "0.bias"], ["2.weight", "2.bias"],
    ]  # fmt: skip


def test_freezing_leaves_the_head_and_batchnorm_to_learn():
    module = shapes("resnet18", "concat-pool")
    groups = layer_groups(module, "resnet18")
    freeze(module, groups, frozen=True)
    learning = {name for name, p in module.named_parameters() if p.requires_grad}
    norms = {
        f"{name}.{part}"
        for name, m in module.named_modules()
        if isinstance(m, nn.BatchNorm2d)
        for part in ("weight", "bias")
    }
    assert learning == norms | set(groups[-1])
    freeze(module, groups, frozen=False)
    assert all(p.requires_grad for p in module.parameters())


def test_while_frozen_the_running_statistics_of_the_body_move():
    module = build("resnet18", 2, "concat-pool")
    freeze(module, layer_groups(module, "resnet18"), frozen=True)
    before = module[0][1].running_mean.clone()
    module.train()(torch.rand(4, 3, 32, 32))
    assert not torch.equal(module[0][1].running_mean, before)


@pytest.mark.parametrize(
    ("spread", "groups", "expected"),
    [
        ("slice", 3, [1e-3, 1e-3, 1e-2]),
        ("slice", 4, [1e-3, 1e-3, 1e-3, 1e-2]),
        ("geometric", 3, np.geomspace(1e-3, 1e-2, 3)),
        ("geometric", 4, np.geomspace(1e-3, 1e-2, 4)),
        ("even", 3, [1e-2] * 3),
        ("slice", 1, [1e-2]),
    ],
)
def test_the_rates_of_the_groups(spread, groups, expected):
    assert peaks(Recipe("x", spread=spread), 1e-2, groups) == pytest.approx(list(expected))


def test_the_seven_stand_in_the_order_of_the_published_table():
    printed = [(row.title, row.published) for row in STUDY]
    assert printed == [
        ("Densenet169", 0.9650), ("Resnet50", 0.9632), ("VGG_19", 0.9280),
        ("Densenet121", 0.9260), ("Resnet152", 0.9000), ("SqueezeNet", 0.8812),
        ("Alexnet", 0.8800),
    ]  # fmt: skip
    assert [row.name for row in NEXT if row.published is not None] == []


def test_an_unknown_architecture_is_named_with_the_nearest():
    with pytest.raises(HipauditError, match=r'"densnet169".*Did you mean "densenet169"'):
        architecture("densnet169")


@pytest.mark.parametrize("name", ROWS)
def test_every_architecture_has_weights_of_the_first_imagenet_version(name):
    address, file, digest = hub_file(name)
    assert address.startswith("https://download.pytorch.org/models/")
    assert file.endswith(f"-{digest}.pth")
    assert len(digest) == 8


def test_the_weights_of_resnet50_are_those_of_the_time_of_the_study():
    assert hub_file("resnet50")[1] == "resnet50-0676ba61.pth"
    with pytest.raises(HipauditError, match="ImageNet weights"):
        hub_file("resnet50000")

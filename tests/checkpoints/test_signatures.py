"""Recognising architectures from names and shapes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models

from audit.checkpoints.architectures import names
from audit.checkpoints.make_signatures import as_text, make_table
from audit.checkpoints.signatures import TABLE, nearest, recognise


def on_meta(name):
    """The module with 5 outputs. Some constructors compute with real tensors: then for real."""
    kwargs = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    try:
        with torch.device("meta"):
            return models.get_model(name, weights=None, num_classes=5, **kwargs)
    except (NotImplementedError, RuntimeError):
        return None


def shapes_of(module):
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


@pytest.fixture(scope="module")
def every():
    """Shapes of all 80, built by torchvision itself on the meta device where it can be."""
    from audit.checkpoints.architectures import shapes_only, torchvision_module

    found = {}
    for name in models.list_models(module=models):
        module = on_meta(name) or shapes_only(lambda name=name: torchvision_module(name, 5))
        found[name] = shapes_of(module)
    return found


def test_torchvision_has_eighty_and_each_is_recognised_with_a_head_of_another_size(every):
    assert len(every) == len(names()) == 80
    wrong = {name: recognise(shapes) for name, shapes in every.items()}
    assert {name: m and m.architecture for name, m in wrong.items()} == {n: n for n in every}


def test_each_is_recognised_without_its_head_and_without_batch_counters(every):
    heads = ("fc.", "classifier.", "head.", "heads.", "aux", "AuxLogits")
    for name, shapes in every.items():
        bare = {
            k: s
            for k, s in shapes.items()
            if not k.startswith(heads) and not k.endswith("num_batches_tracked")
        }
        assert recognise(bare).architecture == name


def test_one_changed_shape_is_not_recognised_but_its_neighbour_is_named(every):
    shapes = dict(every["resnet50"])
    shapes["layer4.2.conv3.weight"] = (2048, 511, 1, 1)
    assert recognise(shapes) is None
    assert nearest(shapes) == "resnet50"


def test_a_greyscale_first_layer_is_seen(every):
    for name, key in (("resnet18", "conv1.weight"), ("densenet121", "features.conv0.weight")):
        shapes = dict(every[name])
        shapes[key] = (shapes[key][0], 1, *shapes[key][2:])
        match = recognise(shapes)
        assert (match.architecture, match.channels) == (name, 1)


def test_a_body_in_a_sequential_is_recognised_by_the_order_of_its_shapes():
    net = models.resnet18(num_classes=2)
    renamed = nn.Sequential(*list(net.children())[:-1])
    shapes = {f"trunk.{k}": s for k, s in shapes_of(renamed).items()}
    shapes["out.weight"] = (2, 512)
    match = recognise(shapes)
    assert (match.architecture, match.by) == ("resnet18", "sequence")


@pytest.mark.slow
def test_the_shipped_table_is_what_the_installed_torchvision_gives():
    assert TABLE.read_text(encoding="utf-8") == as_text(make_table())

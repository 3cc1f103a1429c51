"""Bare and wrapped weights become the network they came from, logit for logit."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

from audit.checkpoints.load import from_module, load_classifier
from audit.checkpoints.options import ModelOptions
from audit.errors import DamagedFile, HipauditError
from audit.files import sha256_of
from tests.checkpoints.files import LABELS, assert_logits, expected, grey, saved, torchvision_net

QUICK = ("squeezenet1_1", "resnet18", "mobilenet_v3_small", "mnasnet0_5")
SLOW = (
    *(
        "alexnet",
        "convnext_tiny",
        "densenet121",
        "efficientnet_b0",
        "mobilenet_v2",
        "regnet_y_400mf",
    ),
    *("resnet50", "squeezenet1_0", "swin_t", "vgg11_bn", "vit_b_32", "mnasnet1_3", "maxvit_t"),
)


def codes(classifier):
    return {note.code for note in classifier.description.notes}


def check_same(name, tmp_path):
    net = torchvision_net(name)
    path = saved(tmp_path / "model.bin", net.state_dict())
    classifier = load_classifier(path, LABELS)
    x = grey()
    assert classifier.description.architecture == name
    torch.testing.assert_close(classifier.logits(x), expected(net, x), rtol=0, atol=1e-4)
    layer = classifier.description.cam_layer
    if layer is not None:
        classifier.module.get_submodule(layer)


@pytest.mark.parametrize("name", QUICK)
def test_a_bare_state_dict_gives_the_original_logits(name, tmp_path):
    check_same(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_a_bare_state_dict_gives_the_original_logits_in_every_family(name, tmp_path):
    check_same(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_outputs_are_left_out_and_the_logits_are_the_main_ones(name, tmp_path):
    net = torchvision_net(name, aux_logits=True, init_weights=False)
    size = 299 if name == "inception_v3" else 224
    classifier = load_classifier(saved(tmp_path / "m.pt", net.state_dict()), LABELS)
    x = grey(1, size)
    with torch.no_grad():
        wanted = net((x.repeat(1, 3, 1, 1) - 0.5) / 0.5)
    assert (classifier.preparation.height, classifier.preparation.mean) == (size, (0.5,) * 3)
    torch.testing.assert_close(classifier.logits(x), wanted, rtol=0, atol=1e-4)


def test_everything_assumed_is_said(tmp_path):
    path = saved(tmp_path / "m.pt", torchvision_net("squeezenet1_1").state_dict())
    found = load_classifier(path, LABELS).description
    assert {(note.code, note.level) for note in found.notes} == {
        ("preprocessing-unverified", "warning"),
        ("class-order", "assumed"),
        ("positive-class", "assumed"),
    }
    assert found.sha256 == (sha256_of(path),)
    assert (found.container, found.name, found.trusted_code) == ("zip", "squeezenet1_1", False)
    assert str(tmp_path) not in found.model_dump_json()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda sd: {"state_dict": sd, "epoch": 3},
        lambda sd: {"model": {"state_dict": sd}},
        lambda sd: {"model_state_dict": {f"module.{k}": v for k, v in sd.items()}},
        lambda sd: {"net": {f"_orig_mod.module.model.{k}": v for k, v in sd.items()}},
        lambda sd: {  # Lightning
            "state_dict": {
                **{f"model.{k}": v for k, v in sd.items()},
                "criterion.weight": torch.ones(2),
            },
            "pytorch-lightning_version": "2.5",
        },
        lambda sd: {k if "classifier" in k else f"backbone.{k}": v for k, v in sd.items()},
    ],
)
def test_wrapped_and_prefixed_weights_are_unwrapped(wrap, tmp_path):
    net = torchvision_net("squeezenet1_1")
    classifier = load_classifier(saved(tmp_path / "m.ckpt", wrap(net.state_dict())), LABELS)
    x = grey(1, 64)
    torch.testing.assert_close(classifier.logits(x), expected(net, x), rtol=0, atol=1e-4)


def test_batch_counters_may_be_absent(tmp_path):
    net = torchvision_net("shufflenet_v2_x0_5")
    state = {k: v for k, v in net.state_dict().items() if "num_batches" not in k}
    classifier = load_classifier(saved(tmp_path / "m.pt", state), LABELS)
    x = grey(1, 64)
    assert_logits(classifier.logits(x), expected(net, x))


def test_the_moving_average_is_preferred_and_said(tmp_path):
    plain, averaged = torchvision_net("squeezenet1_1"), torchvision_net("squeezenet1_1", seed=1)
    content = {"state_dict": plain.state_dict(), "state_dict_ema": averaged.state_dict()}
    classifier = load_classifier(saved(tmp_path / "m.pt", content), LABELS)
    x = grey(1, 64)
    assert_logits(classifier.logits(x), expected(averaged, x))
    assert "averaged-weights" in codes(classifier)


def test_safetensors_and_torch_before_1_6_are_read_and_their_missing_checksum_said(tmp_path):
    net = torchvision_net("squeezenet1_1")
    save_file(net.state_dict(), tmp_path / "a.pt")
    saved(tmp_path / "b.pt", net.state_dict(), _use_new_zipfile_serialization=False)
    x = grey(1, 64)
    for name, kind in (("a.pt", "safetensors"), ("b.pt", "legacy")):
        classifier = load_classifier(tmp_path / name, LABELS)
        assert classifier.description.container == kind
        assert "no-checksum" in codes(classifier)
        assert_logits(classifier.logits(x), expected(net, x))


@pytest.mark.slow
def test_old_densenet_names_are_understood(tmp_path):
    net = torchvision_net("densenet121")
    old = {
        k.replace("norm1", "norm.1").replace("conv2", "conv.2"): v
        for k, v in net.state_dict().items()
    }
    classifier = load_classifier(saved(tmp_path / "m.pt", old), LABELS)
    x = grey(1, 64)
    torch.testing.assert_close(classifier.logits(x), expected(net, x), rtol=0, atol=1e-4)


def test_a_greyscale_network_gets_one_channel(tmp_path):
    net = torchvision_net("resnet18")
    net.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    classifier = load_classifier(saved(tmp_path / "m.pt", net.state_dict()), LABELS)
    x = grey(1, 64)
    with torch.no_grad():
        assert_logits(classifier.logits(x), net((x - 0.449) / 0.226))
    assert classifier.preparation.channels == 1


def test_weights_of_nothing_known_name_the_nearest_and_the_difference(tmp_path):
    state = OrderedDict(torchvision_net("resnet18").state_dict())
    del state["layer4.1.bn2.weight"]
    with pytest.raises(HipauditError, match=r'nearest to resnet18 with no "layer4.1.bn2.weight"'):
        load_classifier(saved(tmp_path / "m.pt", state), LABELS)


def test_a_wrong_arch_names_the_right_one(tmp_path):
    path = saved(tmp_path / "m.pt", torchvision_net("resnet18").state_dict())
    with pytest.raises(HipauditError, match="--arch resnet18"):
        load_classifier(path, LABELS, ModelOptions(arch="resnet34"))


def test_a_body_without_a_head_is_refused(tmp_path):
    state = torchvision_net("resnet18").state_dict()
    body = {k: v for k, v in state.items() if not k.startswith("fc.")}
    with pytest.raises(HipauditError, match="with a classification head"):
        load_classifier(saved(tmp_path / "m.pt", body), LABELS)


def test_a_required_digest_must_be_the_files_own(tmp_path):
    path = saved(tmp_path / "m.pt", torchvision_net("squeezenet1_1").state_dict())
    load_classifier(path, LABELS, ModelOptions(sha256=sha256_of(path).upper()))
    with pytest.raises(DamagedFile, match="--sha256"):
        load_classifier(path, LABELS, ModelOptions(sha256="0" * 64))


def test_any_module_becomes_a_classifier_and_stays_as_it_was():
    net = models.squeezenet1_1(num_classes=2).train()
    classifier = from_module(net, LABELS)
    assert net.training
    assert all(p.requires_grad for p in net.parameters())
    assert (classifier.description.cam_layer, classifier.description.container) == (
        "features.12",
        "module",
    )
    assert (
        classifier.description.sha256
        != from_module(torchvision_net("squeezenet1_1", seed=5), LABELS).description.sha256
    )
    x = grey(1, 64)
    assert_logits(classifier.logits(x), expected(net.eval(), x))


def test_a_network_of_our_own_without_a_known_cam_layer_says_so():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    classifier = from_module(net, LABELS)
    assert classifier.description.cam_layer is None
    assert "no-cam-layer" in codes(classifier)
    assert classifier.preparation.channels == 1


def test_weights_that_are_not_numbers_are_a_named_fault(tmp_path):
    net = torchvision_net("squeezenet1_1")
    net.features[0].bias.data[0] = float("nan")
    classifier = load_classifier(saved(tmp_path / "m.pt", net.state_dict()), LABELS)
    faults = [n for n in classifier.description.notes if n.level == "fault"]
    assert [n.code for n in faults] == ["nan-weights"]


@pytest.mark.parametrize("content", [{}, {"a": 1}, [1, 2], {"state_dict": {"x": "y"}}])
def test_a_checkpoint_without_weights_is_refused_in_one_line(content, tmp_path):
    with pytest.raises(HipauditError) as caught:
        load_classifier(saved(tmp_path / "m.pt", content), LABELS)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(HipauditError, match=r"no file named none\.pt"):
        load_classifier(tmp_path / "none.pt", LABELS)
    with pytest.raises(HipauditError, match="folder"):
        load_classifier(tmp_path, LABELS)

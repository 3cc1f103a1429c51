"""Heads rebuilt from shapes compute what the original computes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models

from audit.checkpoints.architectures import build
from audit.checkpoints.heads import AdaptiveConcatPool2d, concat_pool_head
from audit.checkpoints.load import load_classifier
from audit.errors import HipauditError
from tests.checkpoints.files import LABELS, expected, grey, saved, torchvision_net


def shaken(module):
    """BatchNorm statistics and biases that a rebuilt head would miss if they were not loaded."""
    torch.manual_seed(2)
    for name, value in module.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            value.uniform_(-0.5, 0.5)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return module.eval()


def check(net, tmp_path, size=64, state=None):
    path = saved(tmp_path / "m.pt", net.state_dict() if state is None else state)
    classifier = load_classifier(path, LABELS)
    x = grey(2, size)
    torch.testing.assert_close(classifier.logits(x), expected(net, x), rtol=0, atol=1e-4)
    return classifier


def with_fc(*layers):
    net = torchvision_net("resnet18")
    net.fc = nn.Sequential(*layers)
    return shaken(net)


@pytest.mark.parametrize(
    "layers",
    [
        lambda: (nn.Dropout(0.5), nn.Linear(512, 2)),
        lambda: (nn.Linear(512, 32), nn.ReLU(), nn.Dropout(0.4), nn.Linear(32, 2)),
        lambda: (nn.Linear(512, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2)),
        lambda: (nn.Linear(512, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Dropout(), nn.Linear(32, 2)),
    ],
)
def test_a_head_of_several_layers_is_rebuilt(layers, tmp_path):
    check(with_fc(*layers()), tmp_path)


def test_a_vgg_with_a_narrower_classifier_is_rebuilt(tmp_path):
    net = torchvision_net("alexnet")
    net.classifier = nn.Sequential(
        nn.Dropout(),
        nn.Linear(256 * 6 * 6, 64),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(64, 48),
        nn.ReLU(inplace=True),
        nn.Linear(48, 2),
    )
    check(shaken(net), tmp_path)


def test_a_last_layer_replaced_inside_a_classifier_is_rebuilt(tmp_path):
    net = torchvision_net("mobilenet_v3_small")
    net.classifier[3] = nn.Sequential(nn.Linear(1024, 16), nn.ReLU(), nn.Linear(16, 2))
    check(shaken(net), tmp_path)


def fastai(bias=True, body=None, features=512):
    """A learner as fastai 1.0 (bias) and 2 (none) build it, from its source."""
    body = body or list(torchvision_net("resnet18").children())[:-2]
    head = nn.Sequential(
        AdaptiveConcatPool2d(),
        nn.Flatten(),
        nn.BatchNorm1d(2 * features),
        nn.Dropout(0.25),
        nn.Linear(2 * features, 512, bias=bias),
        nn.ReLU(inplace=True),
        nn.BatchNorm1d(512),
        nn.Dropout(0.5),
        nn.Linear(512, 2, bias=bias),
    )
    return shaken(nn.Sequential(nn.Sequential(*body), head))


@pytest.mark.parametrize("bias", [True, False])
def test_a_fastai_learner_is_rebuilt(bias, tmp_path):
    net = fastai(bias)
    classifier = check(net, tmp_path, state={"model": net.state_dict(), "opt": {"state": []}})
    assert classifier.description.architecture == "resnet18"
    assert classifier.description.cam_layer == "0.7.1"
    assert isinstance(classifier.module.get_submodule("0.7.1"), models.resnet.BasicBlock)


@pytest.mark.slow
def test_a_fastai_densenet_has_no_relu_between_body_and_head(tmp_path):
    net = fastai(body=[torchvision_net("densenet121").features], features=1024)
    assert check(net, tmp_path).description.cam_layer == "0.0"


def test_a_body_and_a_head_under_names_of_their_own_are_rebuilt(tmp_path):
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk = nn.Sequential(*list(torchvision_net("resnet18").children())[:-1])
            self.out = nn.Linear(512, 2)

        def forward(self, x):
            return self.out(self.trunk(x).flatten(1))

    check(Mine().eval(), tmp_path)


def test_what_was_assumed_of_a_head_is_said(tmp_path):
    classifier = check(with_fc(nn.Linear(512, 8), nn.ReLU(), nn.Linear(8, 2)), tmp_path)
    assert "head-rebuilt" in {note.code for note in classifier.description.notes}


def test_a_head_whose_order_is_unknown_is_refused(tmp_path):
    net = torchvision_net("resnet18")
    state = {k: v for k, v in net.state_dict().items() if not k.startswith("fc.")}
    state |= {"fc.attend.weight": torch.ones(8, 512), "fc.say.weight": torch.ones(2, 8)}
    with pytest.raises(HipauditError, match=r"--arch package\.module:factory"):
        load_classifier(saved(tmp_path / "m.pt", state), LABELS)


def test_concat_pool_puts_the_maximum_before_the_average():
    x = torch.arange(8.0).view(1, 2, 2, 2)
    assert AdaptiveConcatPool2d()(x).flatten().tolist() == [3.0, 7.0, 1.5, 5.5]


def test_the_concat_pool_head_has_the_layers_of_fastai():
    kinds = [type(part).__name__ for part in concat_pool_head(8, 2)]
    assert kinds == [
        *("AdaptiveConcatPool2d", "Flatten", "BatchNorm1d", "Dropout", "Linear"),
        *("ReLU", "BatchNorm1d", "Dropout", "Linear"),
    ]
    assert [p.p for p in concat_pool_head(8, 2) if isinstance(p, nn.Dropout)] == [0.25, 0.5]


def test_the_native_head_has_dropout_and_squeezenet_no_last_relu():
    squeeze = build("squeezenet1_1", 2).eval()
    assert squeeze(torch.randn(8, 3, 64, 64)).min() < 0
    assert isinstance(build("resnet18", 2).fc[0], nn.Dropout)
    assert build("densenet121", 2).classifier[0].p == 0.5


@pytest.mark.parametrize("name", ["vit_b_32", "swin_t", "googlenet"])
def test_a_body_that_cannot_be_cut_takes_no_concat_pool_head(name):
    with pytest.raises(HipauditError, match='head "native"'):
        build(name, 2, "concat-pool")


def test_an_unknown_architecture_is_answered_with_the_nearest_name():
    with pytest.raises(HipauditError, match='Did you mean "resnet50"'):
        build("resnet_50", 2)

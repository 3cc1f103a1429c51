"""Whatever a network gives becomes logits whose softmax is what it said."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audit.checkpoints.load import from_module
from audit.checkpoints.options import ModelOptions
from audit.checkpoints.outputs import AsLogits
from audit.errors import HipauditError
from tests.checkpoints.files import assert_logits

LABELS = ("fracture", "normal")
SIDECAR = "input: {size: 16, channels: 1, mean: 0, std: 1}\n"


class Gives(nn.Module):
    """A linear network on 16 × 16 grey images, its output handed through `end`."""

    def __init__(self, outputs, end):
        super().__init__()
        torch.manual_seed(3)
        self.conv = nn.Conv2d(1, 4, 5)
        self.fc = nn.Linear(4, outputs)
        self.end = end

    def raw(self, x):
        return self.fc(self.conv(x).relu().mean((2, 3)))

    def forward(self, x):
        return self.end(self.raw(x))


@pytest.fixture
def options(tmp_path):
    def make(**more):
        path = tmp_path / "model.yaml"
        path.write_text(SIDECAR)
        return ModelOptions(sidecar=path, **more)

    return make


def images(n=6):
    return torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(4))


def notes(classifier):
    return {note.code for note in classifier.description.notes}


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("logits", lambda z: z),
        ("probabilities", lambda z: z.softmax(1)),
        ("log_probabilities", lambda z: z.log_softmax(1)),
    ],
)
def test_three_ways_of_saying_the_same_are_recognised_and_agree(kind, end, options):
    net = Gives(2, end)
    classifier = from_module(net, LABELS, options())
    assert classifier.description.output == kind
    wanted = net.raw(images()).softmax(1)
    torch.testing.assert_close(classifier.logits(images()).softmax(1), wanted)


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("one_logit", lambda z: z),
        ("sigmoid", torch.sigmoid),
        ("sigmoid", lambda z: z.sigmoid()[:, 0]),
    ],
)
@pytest.mark.parametrize("positive", LABELS)
def test_one_number_is_the_positive_classs_wherever_that_class_stands(kind, end, positive, options):
    net = Gives(1, end)
    classifier = from_module(net, LABELS, options(positive_class=positive))
    assert classifier.description.output == kind
    assert "output-recognised" in notes(classifier)
    p = net.raw(images()).sigmoid()[:, 0]
    found = classifier.logits(images()).softmax(1)[:, classifier.classes.index(positive)]
    torch.testing.assert_close(found, p, rtol=1e-4, atol=1e-6)


def test_a_declared_kind_is_obeyed(options):
    net = Gives(2, torch.sigmoid)
    classifier = from_module(net, LABELS, options(output="sigmoid"))
    torch.testing.assert_close(classifier.logits(images()), net.raw(images()), rtol=1e-3, atol=1e-4)


def test_outputs_in_the_unit_interval_that_are_no_distribution_are_logits_with_a_warning(options):
    classifier = from_module(Gives(2, torch.sigmoid), LABELS, options())
    assert classifier.description.output == "logits"
    assert "output-unclear" in notes(classifier)


@pytest.mark.parametrize(
    "end",
    [
        lambda z: (z, z * 0),
        lambda z: {"features": z[:, :1], "logits": z},
        lambda z: {"out": z},
        lambda z: z[:, :, None, None],
    ],
)
def test_tuples_mappings_and_maps_of_one_pixel_are_unpacked(end, options):
    net = Gives(2, end)
    classifier = from_module(net, LABELS, options())
    assert_logits(classifier.logits(images()), net.raw(images()))


@pytest.mark.parametrize(
    ("outputs", "end", "kind"),
    [
        (2, lambda z: z * 9, "probabilities"),
        (2, lambda z: z * 9, "sigmoid"),
        (2, lambda z: z, "one_logit"),
        (1, lambda z: z, "log_probabilities"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(outputs, end, kind, options):
    with pytest.raises(HipauditError):
        from_module(Gives(outputs, end), LABELS, options(output=kind))


@pytest.mark.parametrize("end", [lambda z: None, lambda z: "fracture", lambda z: z.view(-1)])
def test_what_is_no_classifier_is_refused(end, options):
    with pytest.raises(HipauditError):
        from_module(Gives(2, end), LABELS, options())


def test_certainty_stays_finite_and_keeps_its_order():
    class Certain(nn.Module):
        def forward(self, x):
            return torch.tensor([[0.0, 1.0], [1e-30, 1.0], [1.0, 0.0]])

    z = AsLogits(Certain(), "probabilities")(torch.zeros(3, 1, 2, 2))
    assert torch.isfinite(z).all()
    assert z[0, 0] < z[1, 0] < z[2, 0]


def test_the_layer_of_an_adapted_network_is_found_in_the_classifiers_module(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(SIDECAR + "cam_layer: conv\n")
    net = Gives(1, lambda z: z)
    classifier = from_module(net, LABELS, ModelOptions(sidecar=path))
    assert classifier.description.cam_layer == "network.conv"
    assert isinstance(classifier.module.get_submodule("network.conv"), nn.Conv2d)


def test_a_network_that_cannot_take_its_input_is_told_where_to_say_it():
    net = nn.Sequential(nn.Flatten(), nn.Linear(7, 2))
    with pytest.raises(HipauditError, match=r"model\.yaml: input"):
        from_module(net, LABELS)

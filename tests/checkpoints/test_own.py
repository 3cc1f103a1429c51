"""Our own checkpoints say everything about themselves and hold no code."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audit.checkpoints.architectures import build
from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.checkpoints.own import save_checkpoint
from audit.errors import DamagedFile, HipauditError
from audit.results import ModelDescription, Note, Preparation
from tests.checkpoints.files import LABELS, assert_logits

WAY = Preparation(height=64, width=96, resize="squish", mean=(0.4, 0.4, 0.4), std=(0.2, 0.2, 0.2))


def described(architecture, **more):
    return ModelDescription(
        name="hip-demo",
        architecture=architecture,
        classes=("normal", "fractured"),
        positive_class="fractured",
        threshold=0.25,
        threshold_origin="validation",
        preparation=WAY,
        notes=(Note(code="x", level="info", text="not kept"),),
        **more,
    )


def images(channels=3):
    return torch.rand(2, channels, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("head", ["native", "torchvision", "concat-pool"])
def test_a_network_comes_back_with_the_same_logits_whatever_its_head(head, tmp_path):
    module = build("squeezenet1_1", 2, head, width=32)
    path = save_checkpoint(tmp_path / "m.pt", module, described("squeezenet1_1"))
    classifier = load_classifier(path, LABELS)
    module.eval()
    with torch.no_grad():
        assert_logits(classifier.logits(images()), module((images() - 0.4) / 0.2))
    classifier.module.get_submodule(classifier.description.cam_layer)


def test_everything_is_kept_and_nothing_is_assumed(tmp_path):
    module = build("mobilenet_v3_small", 2)
    training = {"synthetic": True, "epochs": 3, "scores": [0.5, 0.9]}
    path = save_checkpoint(
        tmp_path / "m.pt", module, described("mobilenet_v3_small", training={"seed": 7}), training
    )
    found = load_classifier(path, LABELS).description
    assert (found.name, found.classes, found.positive_class) == (
        "hip-demo",
        ("normal", "fractured"),
        "fractured",
    )
    assert (found.preparation, found.preparation_origin) == (WAY, "checkpoint")
    assert (found.threshold, found.threshold_origin) == (0.25, "validation")
    assert found.training == {"seed": 7, **training}
    assert (found.container, found.notes) == ("hipaudit", ())


def test_the_file_is_read_by_torch_with_weights_only(tmp_path):
    path = save_checkpoint(tmp_path / "m.pt", build("squeezenet1_1", 2), described("squeezenet1_1"))
    content = torch.load(path, weights_only=True)
    assert sorted(content) == ["hipaudit", "state_dict"]


def test_equal_networks_give_equal_files(tmp_path):
    module = build("squeezenet1_1", 2)
    first = save_checkpoint(tmp_path / "a" / "m.pt", module, described("squeezenet1_1"))
    second = save_checkpoint(tmp_path / "b" / "m.pt", module, described("squeezenet1_1"))
    assert first.read_bytes() == second.read_bytes()


def test_a_greyscale_network_with_one_output_comes_back(tmp_path):
    torch.manual_seed(0)
    module = build("squeezenet1_1", 1, "native", channels=1)
    way = Preparation(height=64, width=96, channels=1, mean=(0.5,), std=(0.5,))
    description = described("squeezenet1_1", output="one_logit")
    description = description.model_copy(update={"preparation": way})
    path = save_checkpoint(tmp_path / "m.pt", module, description)
    classifier = load_classifier(path, LABELS)
    module.eval()
    with torch.no_grad():
        z = module((images(1) - 0.5) / 0.5)[:, 0]
        found = classifier.logits(images(1))
    # The contract for equal weights: convolutions may differ with memory alignment.
    torch.testing.assert_close(found[:, 1] - found[:, 0], z, rtol=0, atol=1e-4)


def test_a_module_that_is_not_what_its_description_says_is_not_written(tmp_path):
    module = build("squeezenet1_1", 2)
    module.features[0] = nn.Sequential(nn.Identity(), module.features[0])
    with pytest.raises(HipauditError, match="--arch"):
        save_checkpoint(tmp_path / "m.pt", module, described("squeezenet1_1"))
    module = build("squeezenet1_1", 2)
    module.features[1] = nn.Tanh()  # same tensors, another function
    with pytest.raises(HipauditError, match="--arch"):
        save_checkpoint(tmp_path / "m.pt", module, described("squeezenet1_1"))
    assert not (tmp_path / "m.pt").exists()


def test_saving_leaves_the_module_as_it_was(tmp_path):
    module = build("squeezenet1_1", 2).train()
    save_checkpoint(tmp_path / "m.pt", module, described("squeezenet1_1"))
    assert module.training
    assert all(p.requires_grad for p in module.parameters())


@pytest.mark.parametrize(
    "record",
    [
        "{",
        "[]",
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "description": {}, "build": {}}',
    ],
)
def test_a_broken_record_is_damage_in_one_line(record, tmp_path):
    path = tmp_path / "m.pt"
    torch.save({"hipaudit": record, "state_dict": {}}, path)
    with pytest.raises(DamagedFile) as caught:
        load_classifier(path, LABELS)
    assert "\n" not in str(caught.value)


def test_a_flag_comes_before_what_the_checkpoint_says(tmp_path):
    path = save_checkpoint(tmp_path / "m.pt", build("squeezenet1_1", 2), described("squeezenet1_1"))
    options = ModelOptions(positive_class="normal", threshold=0.6)
    found = load_classifier(path, LABELS, options).description
    assert (found.positive_class, found.threshold) == ("normal", 0.6)


def test_a_training_record_that_is_not_plain_is_refused(tmp_path):
    with pytest.raises(HipauditError, match="plain JSON"):
        save_checkpoint(
            tmp_path / "m.pt",
            build("squeezenet1_1", 2),
            described("squeezenet1_1"),
            {"path": tmp_path},
        )

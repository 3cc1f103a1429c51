"""model.yaml: read strictly, obeyed, and its mistakes named by line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.checkpoints.sidecar import Input, as_preparation, read_sidecar
from audit.errors import HipauditError
from audit.files import sha256_of
from audit.results import Preparation
from tests.checkpoints.files import LABELS, assert_logits, grey, saved, torchvision_net

WHOLE = """\
arch: squeezenet1_1
input: {size: [96, 64], resize: pad, channels: 3, range: 255, mean: 127.5, std: 50,
        interpolation: bicubic}
classes: [normal, fractured]
positive_class: fractured
threshold: 0.3
threshold_origin: chosen on the validation part
output: logits
cam_layer: features.7
golden: {abc: [0.5, -0.5]}
training_data: ../train
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return saved(folder / "net.pt", torchvision_net("squeezenet1_1").state_dict())


def beside(weights, folder, text, name="model.yaml"):
    copy = folder / "net.pt"
    copy.write_bytes(weights.read_bytes())
    (folder / name).write_text(text)
    return copy


@pytest.mark.parametrize("name", ["model.yaml", "net.yaml"])
def test_a_sidecar_beside_the_checkpoint_is_obeyed_and_said(name, weights, tmp_path):
    found = load_classifier(beside(weights, tmp_path, WHOLE, name), LABELS).description
    assert found.preparation == Preparation(
        height=96,
        width=64,
        resize="pad",
        interpolation="bicubic",
        value_range=255,
        mean=(127.5,) * 3,
        std=(50.0,) * 3,
    )
    assert (found.classes, found.positive_class) == (("normal", "fractured"), "fractured")
    assert (found.threshold, found.threshold_origin) == (0.3, "chosen on the validation part")
    assert (found.cam_layer, found.golden) == ("features.7", {"abc": (0.5, -0.5)})
    assert [note.code for note in found.notes] == ["sidecar-found"]
    assert "train" not in found.model_dump_json(exclude={"training"})


def test_a_flag_comes_before_the_sidecar(weights, tmp_path):
    path = beside(weights, tmp_path, WHOLE)
    found = load_classifier(path, LABELS, ModelOptions(threshold=0.7)).description
    assert (found.threshold, found.threshold_origin) == (0.7, "--threshold")


def test_a_sidecar_may_be_given_in_the_place_of_the_model(weights, tmp_path):
    beside(weights, tmp_path, f"weights: net.pt\nsha256: {sha256_of(weights)}\n")
    assert load_classifier(tmp_path / "model.yaml", LABELS).description.architecture
    (tmp_path / "model.yaml").write_text("weights: ../../elsewhere.pt\n")
    with pytest.raises(HipauditError, match="outside its folder"):
        load_classifier(tmp_path / "model.yaml", LABELS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("classes: [a, b]\npositve_class: a\n", r'line 2: "positve_class".*"positive_class"'),
        ("input:\n  size: 224\n  meen: 0\n", r'line 3: "input\.meen".*"mean"'),
        ("input:\n  size: big\n", r"line 2"),
        ("threshold: 1.5\n", r"line 1"),
        ("output: softmax\n", r"line 1"),
        ("arch: my.code:factory\n", r"command line"),
        ("a: [1\nb: 2\n", r"line 2"),
        ("- a\n- b\n", r"line 1"),
        ("a: &x [1, 2]\nb: *x\n", r"line 2.*one"),
        ("input: {std: [0.2, 0, 0.2]}\n", r"line 1"),
        ("arch: !!python/object/apply:os.mkdir [made]\n", r"line 1"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, words, tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(HipauditError, match=words) as caught:
        read_sidecar(path)
    assert "\n" not in str(caught.value)
    assert not Path("made").exists()


def test_a_range_from_minus_one_is_folded_into_mean_and_std_exactly():
    way = as_preparation(Input(range=(-1, 1), mean=(0.1,), std=(0.5,)), Preparation())
    x = torch.rand(50, dtype=torch.float64)
    by_hand = ((x * 2 - 1) - 0.1) / 0.5
    torch.testing.assert_close((x * way.value_range - way.mean[0]) / way.std[0], by_hand)


def test_channels_must_be_the_networks(weights, tmp_path):
    path = beside(weights, tmp_path, "input: {channels: 1, mean: 0, std: 1}\n")
    with pytest.raises(HipauditError, match="channels: 3"):
        load_classifier(path, LABELS)


def test_a_cam_layer_that_is_not_there_is_refused(weights, tmp_path):
    path = beside(weights, tmp_path, "cam_layer: layer4\n")
    with pytest.raises(HipauditError, match="layer4"):
        load_classifier(path, LABELS)


def test_the_example_is_a_valid_model_yaml():
    path = Path(__file__).parents[2] / "examples" / "model.yaml"
    assert read_sidecar(path).positive_class == "fractured"


def test_a_factory_runs_only_when_named_on_the_command_line(weights, tmp_path, monkeypatch):
    (tmp_path / "my_nets.py").write_text(
        "from torchvision.models import squeezenet1_1\n"
        "def make():\n    return squeezenet1_1(num_classes=2)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])
    found = load_classifier(weights, LABELS, ModelOptions(arch="my_nets:make"))
    plain = load_classifier(weights, LABELS)
    assert_logits(found.logits(grey(1, 64)), plain.logits(grey(1, 64)))
    for wrong in ("my_nets:other", "no_such_module:make", "my_nets:squeezenet1_1.x"):
        with pytest.raises(HipauditError, match="factory"):
            load_classifier(weights, LABELS, ModelOptions(arch=wrong))

"""Files that would run code, damaged files, and files made to exhaust memory."""

from __future__ import annotations

import os
import pickle
import random
import warnings
import zipfile

import pytest
import torch
from torch import nn

from audit.checkpoints.container import kind_of, read_content
from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.errors import DamagedFile, HipauditError, UnsafeFile
from audit.files import sha256_of
from tests.checkpoints.files import LABELS, saved, torchvision_net

STATE = {
    "conv.weight": torch.arange(54.0).view(2, 3, 3, 3),
    "bn.num_batches_tracked": torch.tensor(3),
    "fc.bias": torch.ones(4),
}


class Evil:
    """Would make a file when unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (os.mkdir, (str(self.target),))


def read(path):
    return read_content(path, kind_of(path), "0" * 64)


def same(content):
    return (
        isinstance(content, dict)
        and content.keys() == STATE.keys()
        and all(
            isinstance(v, torch.Tensor) and torch.equal(v, STATE[k]) for k, v in content.items()
        )
    )


def scripted(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        torch.jit.script(net).save(path)
    return path


@pytest.mark.parametrize("new", [True, False])
def test_a_pickle_that_runs_code_is_refused_by_what_it_names_and_does_not_run(new, tmp_path):
    target = tmp_path / "made"
    content = {"state_dict": STATE, "x": Evil(target)}
    path = saved(tmp_path / "m.pt", content, _use_new_zipfile_serialization=new)
    with pytest.raises(UnsafeFile, match=r"posix\.mkdir") as caught:
        read(path)
    assert "safetensors.torch.save_file" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_a_pickled_module_is_refused_with_its_classes_and_the_flag(tmp_path):
    path = saved(tmp_path / "m.pt", nn.Linear(2, 2))
    with pytest.raises(UnsafeFile, match=r"torch\.nn\.modules\.linear\.Linear") as caught:
        load_classifier(path, LABELS)
    assert f"--trust-code {sha256_of(path)}" in str(caught.value)


def test_bare_pickles_torchscript_and_exported_programs_are_refused(tmp_path):
    bare = tmp_path / "bare.pkl"
    bare.write_bytes(pickle.dumps({"w": STATE["fc.bias"].numpy()}))
    exported = tmp_path / "e.pt2"
    with zipfile.ZipFile(exported, "w") as archive:
        archive.writestr("e/archive_format", "pt2")
    for path, words in (
        (bare, r"a bare pickle that names .*numpy\.dtype"),
        (scripted(tmp_path / "s.pt"), "TorchScript"),
        (exported, r"\.pt2"),
    ):
        with pytest.raises(UnsafeFile, match=words):
            read(path)


def test_trust_code_opens_exactly_the_file_whose_digest_it_is(tmp_path):
    net = torchvision_net("squeezenet1_1")
    path = saved(tmp_path / "m.pt", net)
    with pytest.raises(UnsafeFile, match="another SHA-256"):
        load_classifier(path, LABELS, ModelOptions(trust_code="0" * 64))
    found = load_classifier(path, LABELS, ModelOptions(trust_code=sha256_of(path))).description
    assert found.trusted_code
    assert "trusted-code" in {note.code for note in found.notes}
    assert found.cam_layer == "features.12"


def test_trusted_torchscript_runs_without_grad_cam(tmp_path):
    path = scripted(tmp_path / "s.pt")
    found = load_classifier(path, LABELS, ModelOptions(trust_code=sha256_of(path))).description
    assert (found.container, found.cam_layer, found.trusted_code) == ("torchscript", None, True)
    assert "no-cam-layer" in {note.code for note in found.notes}


def test_one_number_stretched_over_a_terabyte_is_refused(tmp_path):
    for new in (True, False):
        path = saved(
            tmp_path / "m.pt",
            {"w": torch.zeros(1).expand(10**6, 10**6)},
            _use_new_zipfile_serialization=new,
        )
        with pytest.raises(DamagedFile, match="1000000000000 numbers over 1"):
            read(path)


def test_compressed_members_are_refused_before_they_are_unpacked(tmp_path):
    plain = saved(tmp_path / "m.pt", {"w": torch.zeros(10**6)})
    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(DamagedFile, match="compressed"):
        read(bomb)


def test_two_members_of_one_name_are_refused(tmp_path):
    path = saved(tmp_path / "m.pt", STATE)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("m/DATA.PKL", b"x")
    with pytest.raises(DamagedFile, match="two of the same name"):
        read(path)


def test_four_hundred_bit_flips_are_refused_or_change_nothing(tmp_path):
    path = saved(tmp_path / "m.pt", STATE)
    data, rng = path.read_bytes(), random.Random(0)
    refusals = []
    for bit in rng.sample(range(len(data) * 8), 400):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            content = read(path)
        except HipauditError as error:
            refusals.append(str(error))
        else:
            assert same(content), f"bit {bit} was flipped and not noticed"
    assert len(refusals) > 100
    assert not any("\n" in line for line in refusals)


@pytest.mark.parametrize("new", [True, False])
def test_a_file_cut_anywhere_is_refused_in_one_line(new, tmp_path):
    path = saved(tmp_path / "m.pt", STATE, _use_new_zipfile_serialization=new)
    data = path.read_bytes()
    assert same(read(path))
    for length in range(0, len(data), max(1, len(data) // 100)):
        path.write_bytes(data[:length])
        with pytest.raises(HipauditError) as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_a_flipped_legacy_file_never_ends_in_anything_but_a_refusal_or_weights(tmp_path):
    path = saved(tmp_path / "m.pt", STATE, _use_new_zipfile_serialization=False)
    data, rng = path.read_bytes(), random.Random(1)
    refusals = []
    for bit in rng.sample(range(len(data) * 8), 300):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            assert isinstance(read(path), dict | torch.Tensor | list)
        except HipauditError as error:
            refusals.append(str(error))
    assert len(refusals) > 100
    assert not any("\n" in line for line in refusals)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\x89HDF\r\n\x1a\n", "Keras"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!doctype html>", "web page"),
        (b"", "empty"),
    ],
)
def test_other_files_are_named_for_what_they_are(head, words, tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(head)
    with pytest.raises(HipauditError, match=words):
        read(path)

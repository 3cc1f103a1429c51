"""Starting weights are read as warily as a model is, and only the body takes them."""

from __future__ import annotations

import pickle

import pytest
import torch
import torchvision

from audit.errors import DamagedFile, HipauditError, UnsafeFile
from trainers.fitting.network import load_start


def squeezenet(seed, classes=2):
    torch.manual_seed(seed)
    return torchvision.models.squeezenet1_1(weights=None, num_classes=classes)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_body_takes_the_weights_and_the_head_keeps_its_own(tmp_path, wrap, prefix):
    source, target = squeezenet(0, classes=5), squeezenet(1)
    head = target.classifier[1].weight.clone()
    state = {prefix + name: value for name, value in source.state_dict().items()}
    torch.save(wrap(state), tmp_path / "start.pth")
    load_start(target, tmp_path / "start.pth")
    for name, value in source.features.state_dict().items():
        assert torch.equal(target.features.state_dict()[name], value)
    assert torch.equal(target.classifier[1].weight, head)


def test_weights_of_another_architecture_are_refused(tmp_path):
    torch.save(torchvision.models.mobilenet_v3_small().state_dict(), tmp_path / "start.pth")
    with pytest.raises(HipauditError, match="weights of this architecture"):
        load_start(squeezenet(0), tmp_path / "start.pth")


def test_a_flipped_bit_in_the_starting_weights_is_noticed(tmp_path):
    path = tmp_path / "start.pth"
    torch.save(squeezenet(0).state_dict(), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DamagedFile):
        load_start(squeezenet(1), path)


def test_starting_weights_that_carry_code_are_refused_and_do_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "start.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UnsafeFile):
        load_start(squeezenet(0), tmp_path / "start.pth")
    assert not (tmp_path / "ran").exists()

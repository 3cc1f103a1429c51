"""Starting weights are read as warily as a model is, and only the body takes them."""

from __future__ import annotations

import hashlib
import pickle
from urllib.error import URLError

import pytest
import torch
import torchvision

from audit.checkpoints.architectures import build
from audit.errors import DamagedFile, HipauditError, UnsafeFile
from trainers.fitting import network
from trainers.fitting.network import imagenet_file, load_start


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


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18", "densenet121"])
def test_under_the_concat_pool_head_the_body_computes_what_the_files_body_does(tmp_path, name):
    torch.manual_seed(0)
    source = torchvision.models.get_model(name, weights=None)
    state = source.state_dict()
    if name == "densenet121":  # hub files still have the names of before torchvision 0.3
        for old in ("norm", "conv"):
            state = {
                k.replace(f".{old}1.", f".{old}.1.").replace(f".{old}2.", f".{old}.2.")
                if "denselayer" in k
                else k: v
                for k, v in state.items()
                if "num_batches" not in k
            }
    torch.save(state, tmp_path / "start.pth")
    module = build(name, 2, "concat-pool")
    head = module[1][8].weight.clone()
    load_start(module, tmp_path / "start.pth", name)
    x = torch.rand(1, 3, 64, 64)
    own = torch.nn.Sequential(*list(source.children())[:-2])  # ResNet's is not one module
    body = getattr(source, "features", own)
    with torch.no_grad():
        assert torch.equal(module[0].eval()(x), body.eval()(x))
    assert torch.equal(module[1][8].weight, head)


def test_a_checkpoint_with_the_concat_pool_head_starts_a_native_network(tmp_path):
    torch.manual_seed(0)
    source, target = build("resnet18", 5, "concat-pool"), build("resnet18", 2, "native")
    torch.save(source.state_dict(), tmp_path / "start.pth")
    load_start(target, tmp_path / "start.pth", "resnet18")
    assert torch.equal(target.layer3[1].conv2.weight, source[0][6][1].conv2.weight)
    assert torch.equal(target.bn1.running_mean, source[0][1].running_mean)


def test_weights_of_another_body_are_refused_under_the_concat_pool_head(tmp_path):
    torch.save(squeezenet(0).state_dict(), tmp_path / "start.pth")
    with pytest.raises(HipauditError, match="weights of this architecture"):
        load_start(build("resnet18", 2, "concat-pool"), tmp_path / "start.pth", "resnet18")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Torch's cache in a folder of the test, and no way out."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def offline(*args, **options):
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    return tmp_path / "checkpoints"


def test_without_a_network_the_file_to_place_is_named(cache):
    with pytest.raises(
        HipauditError, match=r"download squeezenet1_1-b8a52dc0\.pth.*https://.*TORCH_HOME"
    ) as error:
        load_start(squeezenet(0), "imagenet", "squeezenet1_1")
    assert str(cache) not in str(error.value)


def test_a_file_placed_by_hand_is_used_when_its_digest_is_right(cache, monkeypatch):
    cache.mkdir()
    torch.save(squeezenet(7, classes=1000).state_dict(), cache / "new.pth")
    digest = hashlib.sha256((cache / "new.pth").read_bytes()).hexdigest()[:8]
    placed = cache / f"squeezenet1_1-{digest}.pth"
    (cache / "new.pth").rename(placed)
    monkeypatch.setattr(network, "hub_file", lambda name: ("https://x", placed.name, digest))
    target = build("squeezenet1_1", 2, "concat-pool")
    load_start(target, "imagenet", "squeezenet1_1")
    assert torch.equal(target[0][0][0].weight, squeezenet(7, classes=1000).features[0].weight)
    placed.write_bytes(placed.read_bytes()[:-1])
    with pytest.raises(DamagedFile, match="another digest"):
        imagenet_file("squeezenet1_1")


def test_an_architecture_without_imagenet_weights_is_refused(cache):
    with pytest.raises(HipauditError, match="Give a file of weights, or none"):
        load_start(squeezenet(0), "imagenet", "their_own")

"""One file holds a cascade; it comes back whole or is refused in one line."""

from __future__ import annotations

import json

import pytest
import torch
from tiny import write_images

from audit.cascade.assemble import assemble
from audit.cascade.stored import save_cascade
from audit.checkpoints.load import from_module, load_classifier
from audit.checkpoints.options import ModelOptions
from audit.errors import DamagedFile, HipauditError
from audit.files import sha256_of
from hipaudit.cli import main
from tests.cascade.chains import CLASSES, Says, classifier, squeezenet

VIEWS = ("frontal", "lateral")
X = torch.rand(3, 1, 96, 64, generator=torch.Generator().manual_seed(4))


def whole(**more):
    said = {
        "branches": {"frontal": squeezenet(seed=1), "lateral": squeezenet(seed=2)},
        "view": squeezenet(VIEWS, 3),
        "localiser": squeezenet(("x", "y", "side"), 4),
        "metal": squeezenet(("none", "metal"), 5, threshold=0.4, threshold_origin="validation"),
        "size": (96, 64),
        "window": (0.3, 0.5),
        "view_confidence": 0.51,
        **more,
    }
    return assemble(said.pop("branches"), **said)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    model = whole()
    path = tmp_path_factory.mktemp("cascade") / "c.pt"
    return save_cascade(path, model.module, model.description, {"seed": 7}), model


def spoilt(stored, folder, change):
    """The file with its record and weights changed by `change(record, state)`."""
    content = torch.load(stored[0], weights_only=True)
    record, state = json.loads(content["hipaudit"]), content["state_dict"]
    change(record, state)
    path = folder / "spoilt.pt"
    torch.save({"hipaudit": json.dumps(record), "state_dict": state}, path)
    return path


def test_logits_referral_and_everything_said_come_back(stored):
    path, model = stored
    again = load_classifier(path, CLASSES)
    found, wanted = again.predict(X), model.predict(X)
    torch.testing.assert_close(found.logits, wanted.logits, rtol=0, atol=1e-5)
    assert torch.equal(found.referred, wanted.referred)
    assert again.module.wiring == model.module.wiring
    assert again.preparation == model.preparation
    assert again.description.training == {"seed": 7}
    assert again.description.cam_layer == "branches.0.network.features.12"
    again.module.get_submodule(again.description.cam_layer)
    assert again.has_gradients


def test_the_file_is_read_with_weights_only_and_its_record_is_json(stored):
    content = torch.load(stored[0], weights_only=True)
    assert sorted(content) == ["hipaudit", "state_dict"]
    record = json.loads(content["hipaudit"])
    assert record["kind"] == "cascade"
    assert sorted(record["links"]) == ["branches.0", "branches.1", "localiser", "metal", "view"]


def test_the_digests_are_those_of_the_file_and_of_every_link(stored):
    path, model = stored
    found = load_classifier(path, CLASSES).description.sha256
    assert found[0] == sha256_of(path)
    assert found[1:] == model.description.sha256
    assert len(set(found)) == 6


def test_equal_cascades_give_equal_files(stored, tmp_path):
    model = whole()
    again = save_cascade(tmp_path / "c.pt", model.module, model.description, {"seed": 7})
    assert again.read_bytes() == stored[0].read_bytes()


def test_links_that_are_left_out_stay_left_out(tmp_path):
    model = whole(view=None, branches=squeezenet(), localiser=None, window=None, metal=None,
                  view_confidence=None)  # fmt: skip
    path = save_cascade(tmp_path / "c.pt", model.module, model.description)
    again = load_classifier(path, CLASSES)
    torch.testing.assert_close(again.predict(X).logits, model.predict(X).logits)
    assert not again.predict(X).referred.any()
    text = " ".join(note.text for note in again.description.notes)
    assert "no metal filter" in text
    assert "no localiser" in text


def test_a_link_of_one_output_comes_back_with_its_meaning(tmp_path):
    path = tmp_path / "one.pt"
    from audit.checkpoints.own import save_checkpoint

    one = squeezenet(("x",), 6)
    said = one.description.model_copy(
        update={"classes": CLASSES, "positive_class": "fracture", "output": "one_logit"}
    )
    save_checkpoint(path, one.module, said)
    model = assemble(load_classifier(path, CLASSES), size=(96, 64))
    kept = save_cascade(tmp_path / "c.pt", model.module, model.description)
    again = load_classifier(kept, CLASSES)
    torch.testing.assert_close(again.predict(X).logits, model.predict(X).logits)
    assert json.loads(torch.load(kept, weights_only=True)["hipaudit"])["links"]["branches.0"][
        "file_sha256"
    ] == [sha256_of(path)]


def _set(*path_and_value):
    *path, last, value = path_and_value

    def change(record, _state):
        here = record
        for key in path:
            here = here[key]
        here[last] = value

    return change


def _drop(*path):
    def change(record, _state):
        here = record
        for key in path[:-1]:
            here = here[key]
        del here[path[-1]]

    return change


def _weight(_record, state):
    state["metal.classifier.1.bias"] += 1e-3


def _stray(_record, state):
    state["sneaky.weight"] = torch.zeros(2)


def _lost(_record, state):
    del state["view.features.0.weight"]


SPOILT = {
    "a weight": (_weight, "SHA-256 the cascade records"),
    "a stray tensor": (_stray, "sneaky.weight"),
    "a lost tensor": (_lost, "features.0.weight"),
    "a link gone": (_drop("links", "branches.1"), "branches.1"),
    "a link unknown": (_set("links", "secret", {}), "secret"),
    "another format": (_set("format", 9), "format"),
    "no wiring": (_drop("wiring"), "whole cascade"),
    "a wiring of code": (_set("wiring", "routing", "__import__('os')"), "whole cascade"),
    "a window without end": (_set("wiring", "window", [0.5, 0.2]), "whole cascade"),
    "a window without a localiser": (_drop("links", "localiser"), "weights of the cascade's links"),
    "a view nobody knows": (_set("wiring", "branches", ["frontal", "sky"]), "sky"),
    "two branches of one name": (_set("wiring", "branches", ["frontal"] * 2), "whole cascade"),
    "other classes": (_set("description", "classes", ["a", "b"]), "classes|answer"),
    "classes too many": (
        _set("links", "branches.0", "description", "classes", ["normal", "fracture", "x"]),
        "3 outputs",
    ),
    "branches that disagree": (
        _set("links", "branches.1", "description", "classes", ["fracture", "normal"]),
        "same classes in the same order",
    ),
    "a huge link": (_set("links", "view", "build", "outputs", 10**9), "range"),
    "normalisation": (_set("description", "preparation", "mean", [0.5]), "grey pixels"),
    "a size of nothing": (_set("description", "preparation", "height", 0), "whole cascade"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_file_that_was_changed_is_refused_in_one_line(what, stored, tmp_path):
    change, said = SPOILT[what]
    with pytest.raises(HipauditError, match=said) as caught:
        load_classifier(spoilt(stored, tmp_path, change), CLASSES)
    assert "\n" not in str(caught.value)


def test_a_truncated_or_flipped_file_is_damage(stored, tmp_path):
    data = stored[0].read_bytes()
    short, flipped = tmp_path / "short.pt", tmp_path / "flipped.pt"
    short.write_bytes(data[: len(data) // 2])
    middle = len(data) // 2
    flipped.write_bytes(data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :])
    for path in (short, flipped):
        with pytest.raises(DamagedFile) as caught:
            load_classifier(path, CLASSES)
        assert "\n" not in str(caught.value)


def test_a_network_that_build_does_not_make_is_not_written(tmp_path):
    model = assemble(classifier(Says(0.0, 1.0)), size=32)
    with pytest.raises(HipauditError, match="build makes it"):
        save_cascade(tmp_path / "c.pt", model.module, model.description)
    assert not list(tmp_path.iterdir())


def test_a_cascade_is_refused_where_its_referrals_would_be_lost(stored):
    with pytest.raises(HipauditError, match="Give the Classifier"):
        from_module(stored[1].module, CLASSES)


def test_a_flag_moves_the_threshold_and_another_arch_is_refused(stored):
    found = load_classifier(stored[0], CLASSES, ModelOptions(threshold=0.7)).description
    assert (found.threshold, found.threshold_origin) == (0.7, "--threshold")
    with pytest.raises(HipauditError, match="Leave --arch out"):
        load_classifier(stored[0], CLASSES, ModelOptions(arch="resnet18"))


def test_a_sidecar_may_change_the_size_but_not_normalise_twice(stored, tmp_path):
    sidecar = tmp_path / "model.yaml"
    sidecar.write_text("input: {size: [48, 32]}\n")
    found = load_classifier(stored[0], CLASSES, ModelOptions(sidecar=sidecar))
    assert (found.preparation.height, found.preparation.width) == (48, 32)
    sidecar.write_text("input: {mean: 0.5}\n")
    with pytest.raises(HipauditError, match="normalises for itself"):
        load_classifier(stored[0], CLASSES, ModelOptions(sidecar=sidecar))


def test_inspect_shows_the_links_and_what_is_referred(stored, tmp_path, capsys):
    data = write_images(tmp_path / "data")
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(stored[0]), "--data", str(data)])
    shown = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "cascade" in shown
    assert "A cascade of 5 networks: view (squeezenet1_1 at 32×32: frontal, lateral)" in shown
    assert "at least 0.4 (validation)" in shown


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"view": None, "view_confidence": None}, "view network that chooses"),
        ({"view": squeezenet(("ap", "pa"))}, "named like views"),
        ({"window": None}, "localiser and its window"),
        ({"localiser": None}, "localiser and its window"),
        ({"localiser": squeezenet(("x", "y"))}, "gives no side"),
        ({"localiser": squeezenet(("left", "right"))}, '"x", "y"'),
        ({"window": 1.4}, "window"),
        ({"window": (0.5, 0.3)}, "smallest to its largest"),
        ({"routing": "fuzzy"}, "routing"),
        ({"view_confidence": 1.5}, "view_confidence"),
        (
            {"branches": {"frontal": squeezenet(), "lateral": squeezenet(threshold=0.3)}},
            "one threshold",
        ),
        (
            {"branches": {"frontal": squeezenet(), "lateral": squeezenet(CLASSES[::-1])}},
            "same classes in the same order",
        ),
    ],
)  # fmt: skip
def test_links_that_do_not_fit_are_named_in_one_line(more, said):
    with pytest.raises(HipauditError, match=said) as caught:
        whole(**more)
    assert "\n" not in str(caught.value)

"""Fitting a cascade: every link learns its planted question, is left out with a reason, is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from audit.cascade.assemble import classifier_of_cascade
from audit.cases.arrays import from_arrays
from audit.cases.case import Cases
from audit.checkpoints.load import load_classifier
from audit.errors import HipauditError
from trainers import fit as fitting
from trainers.cascade import localise
from trainers.cascade.fit import fit_cascade, save_cascade
from trainers.cascade.links import Site, key_of
from trainers.cascade.places import necks_of
from trainers.cascade.scores import link_scores
from trainers.progress import Quiet
from trainers.recipe import Recipe

CLASSES = ("normal", "fracture")
PLAIN = Recipe("tiny")
ASKED = {"classes": CLASSES, "positive_class": "fracture"}


def tiny(name, classes, head="native", channels=3, width=512):
    """Stands in for a torchvision architecture: small, and it keeps places."""
    return nn.Sequential(
        nn.Conv2d(channels, 8, 5, stride=2, padding=2), nn.BatchNorm2d(8), nn.ReLU(),
        nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(288, classes),
    )  # fmt: skip


def toy(count, seed, *, boxes=True, attributes=("view", "hardware")):
    """48 × 48: lateral is lighter; a disc is the neck, with a dark gap when broken; metal is a bar
    of white."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:48, :48]
    images, labels, places = [], [], []
    said = {"view": [], "hardware": []}
    for number in range(count):
        broken, lateral, metal = number % 2 == 0, number // 2 % 2 == 0, number % 5 == 0
        x, y = draw.integers(14, 34, 2)
        image = draw.uniform(0.0, 0.1, (48, 48)) + 0.15 * lateral
        image += 0.55 * ((columns - x) ** 2 + (rows - y) ** 2 < 49)
        if broken:
            image[y - 2 : y + 2, x - 6 : x + 6] = 0.0
        if metal:
            image[2:6, 4:44] = 1.0
        images.append(np.clip(image, 0, 1).astype(np.float32))
        labels.append("fracture" if broken else "normal")
        places.append([(x - 7.0, y - 7.0, x + 7.0, y + 7.0)] if boxes else [])
        said["view"].append("lateral" if lateral else "frontal")
        said["hardware"].append(str(int(metal)))
    kept = {name: said[name] for name in attributes}
    return from_arrays(images, labels, boxes=places, attributes=kept)


@pytest.fixture
def _tiny_networks(monkeypatch):
    monkeypatch.setattr(fitting, "build", tiny)
    monkeypatch.setattr(localise, "build", tiny)


SETTINGS = {
    "size": 48, "crop_size": 24, "glance": 24, "batch_size": 16, "lr": 0.02, "max_epochs": 10,
    "augmentation": "none", "patience": 0,
}  # fmt: skip


@pytest.mark.usefixtures("_tiny_networks")
def test_every_link_learns_its_own_question_and_the_whole_answers():
    cascade, description, record = fit_cascade(
        toy(120, 1), toy(40, 2), architecture="tiny", **ASKED, **SETTINGS
    )
    assert record["left_out"] == {}
    assert record["necks_from"] == "boxes"
    # the boxes are 14 of 48 pixels about the neck; a tenth more
    assert cascade.wiring.window == (pytest.approx(0.321, abs=2e-3),) * 2
    test = toy(60, 3)
    model = classifier_of_cascade(cascade, description)
    found = link_scores(model, test, necks_of(test))
    assert found["view_accuracy"] > 0.95
    assert found["neck_error_px"]["mean"] < 4
    assert found["neck_in_window"] > 0.9
    assert found["metal_recall"] > 0.9
    assert found["metal_specificity"] > 0.8
    x = torch.stack([model.prepare(case) for case in test])
    right = model.decide(model.predict(x).logits) == model.targets(list(test)).numpy()
    assert right.mean() > 0.8
    metal = np.array([case.attributes["hardware"] == "1" for case in test])
    assert model.predict(x).referred.numpy()[metal].mean() > 0.9


@pytest.mark.usefixtures("_tiny_networks")
def test_links_without_labels_are_left_out_with_a_reason():
    train, val = (toy(n, s, boxes=False, attributes=()) for n, s in ((48, 1), (24, 2)))
    cascade, _, record = fit_cascade(
        train, val, architecture="tiny", **ASKED, **{**SETTINGS, "max_epochs": 1}
    )
    assert sorted(record["left_out"]) == ["localiser", "metal", "view"]
    assert all(record["left_out"].values())
    assert cascade.view is cascade.localiser is cascade.metal is None
    assert cascade.wiring.branches == ("all",)
    assert record["window"] is None
    json.dumps(record, allow_nan=False)


@pytest.mark.usefixtures("_tiny_networks")
def test_a_view_with_too_few_images_gets_no_branch_and_is_referred():
    def rare(cases, count):
        few, kept = 0, []
        for one in cases:
            lateral = one.attributes["view"] == "lateral"
            few += lateral
            if not lateral or few <= count:
                kept.append(one)
        return Cases(kept, cases.description)

    train, val = rare(toy(120, 1), 10), rare(toy(60, 2), 4)
    cascade, description, record = fit_cascade(
        train, val, architecture="tiny", **ASKED, **{**SETTINGS, "max_epochs": 6}
    )
    assert cascade.wiring.branches == ("frontal",)
    assert "less than a batch" in record["left_out"]["branch lateral"]
    test = [one for one in toy(80, 3) if one.attributes["hardware"] == "0"]
    model = classifier_of_cascade(cascade, description)
    referred = model.predict(torch.stack([model.prepare(one) for one in test])).referred.numpy()
    lateral = np.array([one.attributes["view"] == "lateral" for one in test])
    assert referred[lateral].mean() > referred[~lateral].mean() + 0.5


@pytest.mark.usefixtures("_tiny_networks")
def test_youden_is_found_on_the_whole_cascade():
    _, description, _ = fit_cascade(
        toy(48, 1), toy(24, 2), architecture="tiny", threshold="youden", **ASKED,
        **{**SETTINGS, "max_epochs": 1},
    )  # fmt: skip
    assert 0 < description.threshold < 1
    assert description.threshold_origin == "validation split, Youden"


class Heard:
    def __init__(self):
        self.notes = []

    def run(self, run_id, done, total):
        assert 0 <= done <= total

    def note(self, text):
        self.notes.append(text)


def kept_cascade(folder, **more):
    heard = Heard()
    made = fit_cascade(
        toy(40, 1), toy(16, 2), architecture="squeezenet1_1", folder=folder, progress=heard,
        **ASKED, **{**SETTINGS, "size": 48, "crop_size": 32, "glance": 32, "batch_size": 8,
                    "lr": 1e-3, "max_epochs": 1, **more},
    )  # fmt: skip
    return *made, heard.notes


def test_finished_links_are_reused_and_only_what_changed_is_fitted_again(tmp_path):
    first, description, record, notes = kept_cascade(tmp_path / "links")
    assert not [note for note in notes if "as fitted before" in note]
    again, _, same, notes = kept_cascade(tmp_path / "links")
    assert sorted(note for note in notes if "as fitted before" in note) == [
        f"{name}: as fitted before"
        for name in ("branch-frontal", "branch-lateral", "localiser", "metal", "view")
    ]
    assert same == record
    weights = again.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in first.state_dict().items())
    (tmp_path / "links" / "metal.pt").write_bytes(b"torn")
    *_, notes = kept_cascade(tmp_path / "links")
    assert "metal: the kept link cannot be read and is fitted again" in notes
    assert len([note for note in notes if "as fitted before" in note]) == 4
    path = save_cascade(tmp_path / "cascade.pt", first, description)
    loaded = load_classifier(path, CLASSES)
    model = classifier_of_cascade(first, description)
    x = torch.stack([model.prepare(case) for case in toy(6, 4)])
    torch.testing.assert_close(loaded.predict(x).logits, model.predict(x).logits, rtol=0, atol=1e-4)
    assert loaded.description.training["cascade"] == json.loads(json.dumps(record))
    assert not [note for note in loaded.description.notes if note.level == "fault"]


def test_a_link_is_another_with_another_recipe_images_labels_or_weights(tmp_path):
    start = tmp_path / "w.pth"
    start.write_bytes(b"weights")

    def key(recipe=PLAIN, images=("a\tx",), classes=CLASSES, weights=None):
        return key_of(Site(recipe, weights, None, "cpu", Quiet()), recipe, images, classes)

    keys = [
        key(), key(Recipe("tiny", seed=5)), key(images=("a\ty",)), key(classes=CLASSES[::-1]),
        key(weights="imagenet"), key(weights=start),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    start.write_bytes(b"others")
    assert key(weights=start) not in keys
    assert key() == keys[0]


@pytest.mark.usefixtures("_tiny_networks")
def test_the_same_call_gives_the_same_weights():
    short = {**SETTINGS, "max_epochs": 1}
    one, two = (
        fit_cascade(toy(48, 1), toy(24, 2), architecture="tiny", **ASKED, **short)[0].state_dict()
        for _ in range(2)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"size": 2048}, "size <= 1024"),
        ({"glance": 4}, "8 <= glance"),
        ({"crop_size": 600}, "crop_size"),
        ({"eopchs": 3}, "setting of a recipe"),
        ({"routing": "fuzzy", "max_epochs": 1}, "routing"),
    ],
)
@pytest.mark.usefixtures("_tiny_networks")
def test_impossible_settings_are_refused_in_one_line(more, said):
    train, val = toy(48, 1, attributes=(), boxes=False), toy(24, 2, attributes=(), boxes=False)
    with pytest.raises(HipauditError, match=said) as caught:
        fit_cascade(train, val, architecture="tiny", **ASKED, **{**SETTINGS, **more})
    assert "\n" not in str(caught.value)


def test_a_label_of_one_kind_is_refused():
    train = toy(48, 1, attributes=(), boxes=False)
    same = Cases([replace(one, label="normal") for one in train], train.description)
    with pytest.raises(HipauditError, match="two classes"):
        fit_cascade(same, toy(24, 2, attributes=()), architecture="squeezenet1_1", **ASKED,
                    **SETTINGS)  # fmt: skip

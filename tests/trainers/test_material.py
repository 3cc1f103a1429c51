"""What a training reads: decoded once, kept while it lasts, shared where that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.cases.case import Case, Cases
from audit.classifier import prepare_pixels
from audit.results import Preparation
from tests.toy_training import CLASSES, Told, run, tiny, toy
from trainers import fit as fitting
from trainers.fitting.material import Material
from trainers.fitting.steps import Steps
from trainers.fitting.team import Team
from trainers.progress import Quiet
from trainers.recipe import Recipe

ALONE = Team(0, 1, torch.device("cpu"))


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch):
    monkeypatch.setattr(fitting, "build", tiny)


def counted(cases):
    """The cases, and how often each was decoded."""
    seen = []

    def counting(case):
        def load():
            seen.append(case.id)
            return case.load()

        return Case(id=case.id, label=case.label, load=load, shape=case.shape)

    return Cases([counting(case) for case in cases], cases.description), seen


@pytest.mark.parametrize("augmentation", ["study", "gentle", "none"])
def test_a_training_decodes_every_image_once_and_leaves_none_behind(tmp_path, augmentation):
    train, seen = counted(toy(64, 1))
    val, seen_val = counted(toy(40, 2))
    run(train, val, max_epochs=3, augmentation=augmentation, folder=tmp_path)
    assert sorted(seen) == [case.id for case in train]
    assert sorted(seen_val) == [case.id for case in val]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "log.csv", "log.json", "training-state.pt"
    ]  # fmt: skip


def test_an_interrupted_training_finds_its_decoded_images(tmp_path):
    train, seen = counted(toy(64, 1))

    def stop(text):
        if text.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(train, folder=tmp_path, progress=Told(stop))
    assert list((tmp_path / "private").iterdir())
    run(train, folder=tmp_path)
    assert len(seen) == 64
    assert not (tmp_path / "private").exists()


def test_trainings_share_a_folder_of_decoded_images_and_leave_it(tmp_path):
    train, seen = counted(toy(64, 1))
    for seed in (1, 2):
        run(train, max_epochs=1, seed=seed, folder=tmp_path / str(seed), pixels=tmp_path / "both")
    assert len(seen) == 64
    assert len(list((tmp_path / "both").iterdir())) == 2  # train and val


def test_the_weights_do_not_depend_on_where_the_images_were_kept(tmp_path):
    settings = {"augmentation": "study", "max_epochs": 2}
    in_memory, on_disk = run(**settings)[0], run(**settings, folder=tmp_path)[0]
    first, second = in_memory.state_dict(), on_disk.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def steps_of(cases, **settings):
    recipe = Recipe("tiny", size=16, batch_size=8, **settings)
    way = Preparation(height=16, width=16)
    material = Material(cases, cases, CLASSES, 1, recipe, way, ALONE, None, Quiet())
    return Steps(tiny("tiny", 2), material, recipe, way), way


def test_batches_carry_the_labels_and_pixels_of_their_rows():
    cases = toy(20, 5)
    steps, way = steps_of(cases, augmentation="none")
    rows = torch.tensor([7, 0, 19])
    x, y = steps.batch(rows, torch.Generator())
    for seen, label, row in zip(x, y, rows.tolist(), strict=True):
        assert torch.equal(seen, prepare_pixels(cases[row].load(), way))
        assert CLASSES[label] == cases[row].label


def test_half_a_batch_is_augmented_as_it_is_within_the_whole():
    """What several processes see is what one would: draws are made for the whole batch."""
    cases = toy(20, 5)
    steps, _ = steps_of(cases, augmentation="study")
    rows = torch.arange(8)
    whole, _ = steps.batch(rows, torch.Generator().manual_seed(1))
    steps.team = Team(1, 2, torch.device("cpu"))
    half, labels = steps.batch(rows, torch.Generator().manual_seed(1))
    torch.testing.assert_close(half, whole[4:], atol=1e-6, rtol=0)
    assert [CLASSES[label] for label in labels] == [case.label for case in cases[4:8]]


def test_pixels_read_ahead_are_those_read_now():
    steps, _ = steps_of(toy(20, 5), augmentation="study")
    rows = torch.arange(8)
    other = torch.arange(8, 16)
    draw = torch.Generator().manual_seed(1)
    expected = [steps.batch(part, draw)[0] for part in (rows, other)]
    ready = steps.material.train.ahead([rows, other], torch.Generator().manual_seed(1))
    for part, one in zip(expected, ready, strict=True):
        np.testing.assert_array_equal(steps.batch(one.rows, torch.Generator(), one)[0], part)

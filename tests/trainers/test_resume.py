"""A training that is interrupted goes on as if it had not been; what exists stays on disk."""

from __future__ import annotations

import csv
import errno
import json
import os
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import nn
from toy_training import CLASSES, Told, run, tiny, toy

from audit import files
from audit.cases.case import Cases
from audit.errors import HipauditError
from trainers import fit as fitting
from trainers.fitting import course, precision
from trainers.fitting.loop import train_module
from trainers.fitting.scores import Scores
from trainers.fitting.state import FILE
from trainers.fitting.steps import Steps
from trainers.recipe import Recipe

SETTINGS = {"freeze_epochs": 1, "max_epochs": 3, "lr": "auto", "augmentation": "gentle"}
FAST = {**SETTINGS, "lr": 0.02}  # no range tests


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch):
    monkeypatch.setattr(fitting, "build", tiny)


def stopping_after(epoch):
    def at(text):
        if text.startswith(f"epoch {epoch}/"):
            raise KeyboardInterrupt

    return Told(at)


class StoppedAt(Told):
    """Interrupts within an epoch, at a step of the whole training."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def run(self, run_id, done, total):
        if "training" in run_id and done == self.step:
            raise KeyboardInterrupt


@cache
def whole(*changes):
    """What an uninterrupted training comes to."""
    return run(**{**SETTINGS, **dict(changes)})


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def without_seconds(log):
    return [replace(epoch, seconds=0) for epoch in log.epochs]


@pytest.mark.parametrize("epoch", [1, 2, 3, 4])
def test_weights_and_log_are_the_same_to_the_bit_after_an_interruption(tmp_path, epoch):
    module, description, log = whole()
    with pytest.raises(KeyboardInterrupt):
        run(**SETTINGS, folder=tmp_path, progress=stopping_after(epoch))
    again, described, logged = run(**SETTINGS, folder=tmp_path)
    assert same(module.state_dict(), again.state_dict())
    assert without_seconds(logged) == without_seconds(log)
    assert logged.range_tests == log.range_tests
    assert described == description


def test_an_interruption_at_every_epoch_and_within_them_changes_nothing(tmp_path):
    expected = whole(("schedule", "triangular"), ("lr", 0.02))[0].state_dict()
    for step in (2, 6, 7, 11, 15):  # four steps an epoch
        with pytest.raises(KeyboardInterrupt):
            run(**FAST, schedule="triangular", folder=tmp_path, progress=StoppedAt(step))
    module, _, log = run(**FAST, schedule="triangular", folder=tmp_path)
    assert same(expected, module.state_dict())
    assert [epoch.number for epoch in log.epochs] == [1, 2, 3, 4]


@pytest.mark.parametrize("settings", [{"channels_last": "on"}, {"mixed_precision": "bf16"}])
def test_the_numbers_it_trains_in_stay_those_it_began_with(tmp_path, monkeypatch, settings):
    given = {**SETTINGS, "lr": 0.02, **settings}
    monkeypatch.setattr(precision, "step_seconds", lambda m, x, one: 2.0 - (one.dtype != "float32"))
    expected, _, log = run(**given)
    with pytest.raises(KeyboardInterrupt):
        run(**given, folder=tmp_path, progress=stopping_after(3))
    # What is timed again might come out otherwise: it is not.
    monkeypatch.setattr(precision, "step_seconds", None)
    module, _, logged = run(**given, folder=tmp_path)
    assert same(expected.state_dict(), module.state_dict())
    assert logged.used == log.used
    bf16 = "mixed_precision" in settings
    assert (log.used["dtype"], log.used["channels_last"]) == (
        ("bfloat16", False) if bf16 else ("float32", True)
    )


def test_the_scale_of_half_precision_gradients_is_kept_and_no_range_test_moves_it(
    tmp_path, monkeypatch
):
    def scaler(self, device):
        return torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=3, enabled=True)

    monkeypatch.setattr(precision.Precision, "scaler", scaler)
    monkeypatch.setattr(course, "one_cycle", lambda step, total: (0.001, 0.9))
    run(**SETTINGS, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(**SETTINGS, folder=tmp_path / "two", progress=stopping_after(4))
    run(**SETTINGS, folder=tmp_path / "two")
    scales = [
        json.loads(torch.load(tmp_path / name / FILE, weights_only=True)["hipaudit training"])
        for name in ("whole", "two")
    ]
    # Three epochs of four steps after unfreezing, doubled every three: 4 * 2^4.
    assert [record["scaler"]["scale"] for record in scales] == [64.0, 64.0]


def test_what_was_done_is_not_done_again(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        run(**SETTINGS, folder=tmp_path, progress=StoppedAt(15))  # in the fourth epoch
    steps, told = [], Told()
    real = Steps.step
    monkeypatch.setattr(Steps, "step", lambda *a: (steps.append(1), real(*a))[1])
    run(**SETTINGS, folder=tmp_path, progress=told)
    assert len(steps) == 4, told.notes  # one epoch, and no range test
    assert told.notes[0] == "going on after epoch 3"


def test_a_training_that_has_ended_answers_at_once_and_keeps_little(tmp_path, monkeypatch):
    module, description, log = run(**FAST, folder=tmp_path)
    monkeypatch.setattr(Steps, "step", None)  # a step would fail
    again, described, logged = run(**FAST, folder=tmp_path)
    assert same(module.state_dict(), again.state_dict())
    assert (described, logged) == (description, log)
    state = torch.load(tmp_path / FILE, weights_only=True)
    assert (state["module"], state["optimiser"]) == ({}, {})
    assert same(state["best"], module.state_dict())


def test_a_training_out_of_time_goes_on_with_more(tmp_path):
    expected = whole(("lr", 0.02))[0].state_dict()
    _, _, short = run(**FAST, folder=tmp_path, max_seconds=0.0)
    assert (short.ended, len(short.epochs)) == ("time", 1)
    module, _, log = run(**FAST, folder=tmp_path)
    assert log.ended == "epochs"
    assert same(expected, module.state_dict())


def test_staleness_is_counted_across_an_interruption(tmp_path, monkeypatch):
    values = [0.5, 0.7, 0.6, 0.6, 0.6, 0.9]
    monkeypatch.setattr(
        course, "validate", lambda steps: Scores(0.5, values[len(epochs_on_disk(tmp_path))], 0.5)
    )
    with pytest.raises(KeyboardInterrupt):
        run(max_epochs=6, patience=3, folder=tmp_path, progress=stopping_after(5))
    _, _, log = run(max_epochs=6, patience=3, folder=tmp_path)
    assert (len(log.epochs), log.best, log.ended) == (5, 2, "early stop")


def epochs_on_disk(folder):
    path = folder / "log.csv"
    return list(csv.DictReader(path.read_text().splitlines())) if path.is_file() else []


def test_the_state_is_for_its_owner_only_and_holds_no_code(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(**FAST, folder=tmp_path, progress=stopping_after(3))
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    state = torch.load(tmp_path / FILE, weights_only=True)
    assert json.loads(state["hipaudit training"])["epochs"][1]["number"] == 2
    public = {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077}
    assert public == {"log.csv", "log.json"}


def test_log_files_say_everything_that_was_used(tmp_path):
    _, description, log = run(**SETTINGS, folder=tmp_path)
    written = json.loads((tmp_path / "log.json").read_text())
    assert written["recipe"] == description.training["recipe"]
    assert written["used"] == description.training["log"]["used"]
    assert written["range_tests"][0]["rates"][0] == 1e-7
    rows = epochs_on_disk(tmp_path)
    assert [float(row["peak_lr"]) for row in rows] == [epoch.peak_lr for epoch in log.epochs]
    used = written["used"]
    assert used["torch"] == torch.__version__
    assert (used["device"], used["dtype"]) == ("cpu", "float32")
    assert sum(used["groups"]) == description.parameters


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lr": 0.5, "patience": 2}, "another lr, patience"),
        ({"val": toy(40, 7)}, "another validation images"),
        ({"train": toy(64, 8)}, "another training images"),
    ],
)
def test_a_folder_with_another_training_is_refused_and_left_alone(tmp_path, change, said):
    with pytest.raises(KeyboardInterrupt):
        run(**FAST, folder=tmp_path, progress=stopping_after(3))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(HipauditError, match=f"{said}.*delete {FILE}"):
        run(**{**FAST, **change}, folder=tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_other_starting_weights_are_another_training(tmp_path, monkeypatch):
    run(max_epochs=1, folder=tmp_path)

    def other(*args, **options):
        module = tiny(*args, **options)
        nn.init.ones_(module[6].bias)
        return module

    monkeypatch.setattr(fitting, "build", other)
    with pytest.raises(HipauditError, match="another starting weights"):
        run(max_epochs=1, folder=tmp_path)


@pytest.mark.parametrize("damage", ["flip", "cut", "replace"])
def test_a_damaged_state_is_noticed_and_the_training_begins_anew(tmp_path, damage):
    expected = whole(("lr", 0.02))[0].state_dict()
    with pytest.raises(KeyboardInterrupt):
        run(**FAST, folder=tmp_path, progress=stopping_after(3))
    content = bytearray((tmp_path / FILE).read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    (tmp_path / FILE).write_bytes(
        {"flip": content, "cut": content[: len(content) // 2], "replace": b"hello"}[damage]
    )
    told = Told()
    module, _, log = run(**FAST, folder=tmp_path, progress=told)
    assert told.notes[0] == f"{FILE} is damaged: the training begins anew"
    assert len(log.epochs) == 4
    assert same(expected, module.state_dict())


def test_a_state_that_carries_code_does_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"hipaudit training": Evil()}, tmp_path / FILE)
    told = Told()
    run(max_epochs=1, folder=tmp_path, progress=told)
    assert "damaged" in told.notes[0]
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_said_and_the_last_good_state_kept(tmp_path, monkeypatch):
    expected = run(max_epochs=4)[0].state_dict()
    real, states = os.replace, []

    def full(source, target):
        states.append(str(target)) if str(target).endswith(FILE) else None
        if len(states) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(HipauditError, match=f"to write {FILE}.*No space left.*free space"):
        run(max_epochs=4, folder=tmp_path)
    monkeypatch.setattr(files.os, "replace", real)
    assert not list(tmp_path.glob(".*"))  # no half-written file
    told = Told()
    module, _, _ = run(max_epochs=4, folder=tmp_path, progress=told)
    assert told.notes[0] == "going on after epoch 2"
    assert same(expected, module.state_dict())


def test_a_loss_that_is_not_finite_leaves_the_best_weights_and_says_where(tmp_path, monkeypatch):
    module = tiny("tiny", 2)
    real, count = Steps.step, [0]

    def step(self, *given):
        loss = real(self, *given)
        count[0] += 1
        if count[0] == 11:  # the third step of the third epoch, four steps each
            nn.init.constant_(self.module[6].weight, float("nan"))
            return loss * float("nan")
        return loss

    monkeypatch.setattr(Steps, "step", step)
    kept = []
    real_copy = course._copied
    monkeypatch.setattr(course, "_copied", lambda m: kept.append(real_copy(m)) or kept[-1])
    recipe = Recipe("tiny", size=16, batch_size=16, lr=0.02, max_epochs=5, augmentation="none")
    with pytest.raises(
        HipauditError, match=r"nan in epoch 3, step 3, at learning rate 0\.\d+.*smaller lr"
    ):
        train_module(
            module, recipe, toy(64, 1), toy(40, 2), classes=CLASSES, positive_class="fracture",
            way=fitting.Preparation(height=16, width=16), folder=tmp_path,
        )  # fmt: skip
    assert same(module.state_dict(), kept[-1])
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())
    assert len(kept) >= 2  # where it began, and a best epoch
    assert not module.training
    assert len(epochs_on_disk(tmp_path)) == 2


def test_a_loss_that_is_never_finite_gives_the_first_weights_back(monkeypatch):
    module = tiny("tiny", 2)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    real = Steps.step
    monkeypatch.setattr(Steps, "step", lambda *given: real(*given) / 0)
    with pytest.raises(HipauditError, match="in epoch 1, step 1,"):
        train_module(
            module, Recipe("tiny", size=16, batch_size=16), toy(64, 1), toy(40, 2),
            classes=CLASSES, positive_class="fracture",
            way=fitting.Preparation(height=16, width=16),
        )  # fmt: skip
    assert same(before, module.state_dict())


def test_a_judge_decides_which_epoch_is_kept():
    values = iter([0.1, 0.9, 0.2])
    log = train_module(
        tiny("tiny", 2), Recipe("tiny", size=16, batch_size=16, max_epochs=3),
        toy(64, 1), toy(40, 2), classes=CLASSES, positive_class="fracture",
        way=fitting.Preparation(height=16, width=16), judge=lambda module: next(values),
    )  # fmt: skip
    assert log.best == 2
    assert [epoch.watched for epoch in log.epochs] == [0.1, 0.9, 0.2]


def test_both_splits_of_one_class_are_refused_before_anything_is_written(tmp_path):
    only = Cases([c for c in toy(40, 1) if c.label == "normal"], toy(40, 1).description)
    with pytest.raises(HipauditError, match="two classes in the validation split"):
        run(val=only, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []

"""hipaudit train and study on tiny images: what is written, what is refused, what is resumed."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from audit.checkpoints.load import load_classifier
from audit.study_results import read_study
from tests.radiographs import write_radiographs

SMALL = (
    "--weights", "none", "--size", "32", "--freeze-epochs", "1", "--epochs", "1",
    "--batch-size", "16", "--lr", "0.001", "--set", "weight_decay=0.01",
)  # fmt: skip
DATA = ("--data", "data")
NET = "squeezenet1_1"
TRAIN = ("train", NET, *DATA, *SMALL)  # repeated flags: the last counts
STUDY = ("study", *DATA, *SMALL, "--models", NET, "--preset", "none")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return write_radiographs(tmp_path_factory.mktemp("kept") / "data")


@pytest.fixture
def here(kept, tmp_path):
    shutil.copytree(kept, tmp_path / "data")
    return tmp_path


@pytest.fixture
def refused(hipaudit, here):
    """Call, and hold the answer to the form of every refusal; returns the line."""

    def call(*args: object, code: int = 2, made: tuple[str, ...] = ()) -> str:
        found, out, err = hipaudit(*args, "-q")
        assert found == code, err
        assert err.startswith("error: "), err
        assert err.count("\n") == 1, err
        assert out == ""
        assert {p.name for p in here.iterdir()} <= {"data", *made}
        return err

    return call


def test_one_network_is_trained_tested_and_described(here, hipaudit):
    code, out, _ = hipaudit(*TRAIN, "--out", "out")
    assert code == 0
    for words in ("SYNTHETIC", "val ", "test ", "optimistic", "hipaudit run out/model.pt"):
        assert words in out
    classifier = load_classifier(here / "out" / "model.pt", ("fracture", "normal"))
    assert classifier.description.positive_class == "fracture"
    assert classifier.description.preparation.height == 32
    rows = list(csv.DictReader((here / "out/training/log.csv").read_text().splitlines()))
    assert [row["phase"] for row in rows] == ["frozen", "all"]
    log = json.loads((here / "out" / "training" / "log.json").read_text())
    assert log["recipe"]["lr"] == 0.001
    assert not list(here.rglob("*.part"))


def test_the_same_command_again_trains_nothing(here, hipaudit):
    hipaudit(*TRAIN, "--out", "out")
    before = (here / "out" / "model.pt").stat().st_mtime_ns
    code, _, err = hipaudit(*TRAIN, "--out", "out")
    assert (code, (here / "out" / "model.pt").stat().st_mtime_ns) == (0, before)
    assert "already trained" in err


def test_a_study_writes_what_it_promises_and_shows_the_published_beside(here, hipaudit):
    code, out, _ = hipaudit(*STUDY, "--out", "out", "--no-images")
    assert code == 0, out
    results = read_study(here / "out" / "study.json")
    assert results.models[0].state == "done"
    for words in ("SqueezeNet", "88.1%", "Always saying the commoner class: 50.0%"):
        assert words in out
    html = (here / "out" / "study.html").read_text()
    assert "SqueezeNet" in html
    assert (here / "out" / "study.pdf").read_bytes().startswith(b"%PDF")
    assert "--data DATA" in results.provenance.command
    assert "--size 32" in results.provenance.command


def test_a_model_that_fails_makes_the_exit_code_3_and_is_named(here, hipaudit, monkeypatch):
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("trainers.study.fitted.fit", crash)
    code, out, _ = hipaudit(*STUDY, "--out", "out", "--no-images")
    assert code == 3
    assert f"{NET}: RuntimeError: out of memory" in out
    assert read_study(here / "out" / "study.json").models[0].state == "failed"


def test_a_report_that_cannot_be_made_does_not_lose_the_study(here, hipaudit, monkeypatch):
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("no template")

    monkeypatch.setattr("reports.study.render.render_study", crash)
    code, out, _ = hipaudit(*STUDY, "--out", "out", "--no-images")
    assert code == 0
    assert "no report: RuntimeError: no template" in out
    assert (here / "out" / "study.json").is_file()
    assert not (here / "out" / "study.html").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("train", "squeezenet1_2", *DATA), 'Did you mean "squeezenet1_'),
        (("train", NET, "--data", "dta"), 'nothing at "dta"'),
        ((*TRAIN, "--weights", "imagnet"), 'Did you mean "imagenet"?'),
        ((*TRAIN, "--weights", "data"), f"none for {NET}"),
        ((*TRAIN, "--set", "epoch=3"), "max_epochs"),
        ((*TRAIN, "--set", "patience"), "expected a setting"),
        ((*TRAIN, "--set", "seed=3"), "--seed"),
        ((*TRAIN, "--set", "size=64"), "--set size"),
        ((*TRAIN, "--size", "8"), "--size 17"),
        ((*TRAIN, "--lr", "fast"), "expected auto"),
        ((*TRAIN, "--lr", "-1"), "expected auto"),
        ((*TRAIN, "--schedule", "triangle"), 'Did you mean "triangular"?'),
        ((*TRAIN, "--adversarial-eps", "4/255"), "--adversarial fbf"),
        ((*TRAIN, "--adversarial", "fbf", "--adversarial-eps", "1/255,2/255"), "one --adv"),
        ((*TRAIN, "--device", "gpu"), '"gpu"'),
        ((*TRAIN, "--batch-size", "64"), "64 training images"),
        ((*TRAIN, "--positive-class", "fractur"), 'Did you mean "fracture"?'),
        ((*TRAIN, "--epochs", "0", "--freeze-epochs", "0"), "at least one epoch"),
        ((*TRAIN, "--out", "data/manifest.csv"), "a folder for the results"),
        ((*TRAIN, "--out", "data"), "other files in it"),
        (("study", "modles", *DATA), 'Did you mean "models"?'),
        ((*STUDY, "--models", "alexnet,restnet50"), 'Did you mean "resnet50"?'),
        ((*STUDY, "--models", "alexnet"), "--size 63"),
        ((*STUDY, "--preset", "fast"), "quick"),
        ((*STUDY, "--points", "3"), "learning-curve"),
        ((*TRAIN, "--weights", "data/0.png"), "checkpoint"),
        ((*STUDY, "--out", "data"), "other files in it"),
        (("study", *DATA, *SMALL, "--size", "64", "--weights", "data"), "--models"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_anything_is_written(refused, args, said):
    line = refused(*args, *(() if "--out" in args else ("--out", "out")), made=("out",))
    assert said in line


def test_one_weights_file_for_two_networks_is_refused(refused, here):
    (here / "data" / "w.pth").write_bytes(b"x")
    line = refused(*STUDY, "--models", f"{NET},squeezenet1_0", "--weights", "data/w.pth")
    assert "one file" in line


def _change(here: Path, change) -> None:
    path = here / "data" / "manifest.csv"
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    rows = [row for row in (change(dict(row)) for row in rows) if row]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_patient_in_two_splits_is_counted_and_refused(refused, here):
    def same(row):
        return {**row, "patient_id": "jansen"} if row["patient_id"] in ("train0", "test1") else row

    _change(here, same)
    line = refused(*TRAIN, "--out", "out")
    assert "1 patients" in line
    assert "jansen" not in line


def test_a_split_of_one_class_is_refused(refused, here):
    def one(row):
        return None if row["split"] == "val" and row["label"] == "fracture" else row

    _change(here, one)
    assert "two classes in the val split" in refused(*TRAIN, "--out", "out")


def test_weights_that_are_not_a_number_stop_at_the_first_step_and_say_the_rate(refused, here):
    import torch
    import torchvision

    weights = torchvision.models.squeezenet1_1().state_dict()
    weights["features.0.weight"].fill_(float("nan"))
    torch.save(weights, here / "data" / "w.pth")
    line = refused(*TRAIN, "--weights", "data/w.pth", "--out", "out", made=("out",))
    for words in ("finite", "epoch 1", "step 1", "learning rate"):
        assert words in line


def test_a_full_disk_is_one_line_and_leaves_no_half_file(here, hipaudit, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.files.os.fsync", full)
    code, _, err = hipaudit(*TRAIN, "--out", "out", "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "No space left on device" in err
    left = [p.name for p in (here / "out").rglob("*") if p.is_file()]
    assert left in ([], [".lock"])


def test_a_study_under_torchrun_is_refused(refused, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "torchrun" in refused(*STUDY, "--out", "out")

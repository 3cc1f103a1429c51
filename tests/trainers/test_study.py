"""The study end to end on tiny images: complete, resumable, and unharmed by one model's failure."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from audit.cases.options import DataOptions
from audit.errors import HipauditError
from audit.results import read_results
from audit.study_results import read_study
from tests.radiographs import write_radiographs
from trainers.progress import Quiet
from trainers.splits import read_splits
from trainers.study import fitted
from trainers.study.options import StudyOptions
from trainers.study.run import models_study

SETTINGS = {
    "size": 32, "freeze_epochs": 1, "max_epochs": 1, "batch_size": 16, "lr": 1e-3,
    "weight_decay": 1e-2,
}  # fmt: skip
NAMES = ("squeezenet1_1", "squeezenet1_0")
OPTIONS = StudyOptions(
    architectures=NAMES, weights="none", settings=SETTINGS, preset="none", images=False
)

AUDITED = replace(OPTIONS, preset="ci", audit_samples=8, images=True)


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    folder = write_radiographs(tmp_path_factory.mktemp("jansen_1950"))
    return read_splits(folder, DataOptions())


@pytest.fixture(scope="module")
def whole(splits, tmp_path_factory):
    """(folder, results) of a study with audits and figures, never interrupted."""
    folder = tmp_path_factory.mktemp("study")
    return folder, models_study(splits, folder, AUDITED, Quiet())


@pytest.fixture
def plain(splits, tmp_path):
    """A study without audits: call with options and it is conducted in the folder given."""

    def conduct(folder: Path = tmp_path / "study", **changes: object):
        return models_study(splits, folder, replace(OPTIONS, **changes), Quiet())

    return conduct


def test_every_model_is_fitted_tested_and_audited(whole):
    folder, results = whole
    assert [m.name for m in results.models] == list(NAMES)
    for model in results.models:
        assert (model.state, model.reason) == ("done", None)
        assert len(model.epochs) == 2
        audit = read_results(folder / model.audit)
        assert audit.run_id == model.audit_run_id
        assert audit.model.sha256 == (model.sha256,)
        assert {f.metric for f in model.findings} >= {"accuracy", "auroc", "robust_accuracy"}


def test_study_json_says_what_was_returned_and_where_everything_comes_from(whole):
    folder, results = whole
    assert read_study(folder / "study.json") == results
    assert [s.name for s in results.splits] == ["train", "val", "test"]
    assert [s.images for s in results.splits] == [48, 24, 40]
    assert [s.prevalence for s in results.splits] == [0.5, 0.5, 0.5]
    assert results.baseline == 0.5
    assert results.synthetic
    assert results.positive_class == "fracture"
    assert results.provenance.packages["torch"]
    assert len(results.published) == 7
    assert {note.code for note in results.notes} >= {"best-of-several", "clustered"}


def test_two_models_are_compared_once(whole):
    _, results = whole
    (test,) = results.tests
    assert (test.first, test.second, test.n) == (*NAMES, 40)
    assert test.p_holm == test.p


def test_the_figures_of_the_best_model_are_kept_and_say_that_they_are_synthetic(whole):
    folder, results = whole
    kinds = {artefact.kind for artefact in results.artefacts}
    assert kinds >= {"augmentation", "fgsm", "confident-correct"}
    for artefact in results.artefacts:
        assert (folder / artefact.path).read_bytes().startswith(b"\x89PNG")
        assert artefact.path.startswith("figures/synthetic-")
        assert artefact.alt
        assert artefact.meta["model"] in NAMES


def test_nothing_in_study_json_says_where_a_file_lay_or_who_a_patient_is(whole):
    folder, _ = whole
    text = (folder / "study.json").read_text()
    for canary in ("jansen", "pytest-of", "train0", "manifest.csv"):
        assert canary not in text


def test_the_same_call_again_fits_nothing_and_gives_the_same_bytes(whole, splits, monkeypatch):
    folder, _ = whole

    def never(*_: object, **__: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(fitted, "fit", never)
    before = (folder / "study.json").read_bytes()
    models_study(splits, folder, AUDITED, Quiet())
    assert (folder / "study.json").read_bytes() == before


def test_a_model_whose_checkpoint_was_changed_is_fitted_again(plain, tmp_path, monkeypatch):
    plain(architectures=NAMES[:1])
    path = tmp_path / "study" / "models" / NAMES[0] / "model.pt"
    right = path.read_bytes()
    path.write_bytes(right + b"x")
    results = plain(architectures=NAMES[:1])
    assert results.models[0].state == "done"
    assert path.read_bytes() == right


def test_an_interrupt_in_the_second_model_keeps_the_first_and_the_rest_follows(
    plain, tmp_path, monkeypatch
):
    expected = plain(tmp_path / "whole")
    real, calls = fitted.fit, []

    def interrupted(recipe, *args, **named):
        calls.append(recipe.architecture)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(recipe, *args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(fitted, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            plain()
    kept = read_study(tmp_path / "study" / "study.json")
    assert [model.state for model in kept.models] == ["done", "planned"]
    assert plain() == expected


def test_an_interrupt_of_the_same_call_again_loses_nothing(plain, tmp_path, monkeypatch):
    done = plain()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trainers.study.carry.findings_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        plain()
    assert read_study(tmp_path / "study" / "study.json") == done
    monkeypatch.undo()
    real, calls = fitted.fit_member, []

    def second(member, *args, **named):
        calls.append(member.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(member, *args, **named)

    monkeypatch.setattr("trainers.study.carry.fit_member", second)
    with pytest.raises(KeyboardInterrupt):
        plain()
    assert read_study(tmp_path / "study" / "study.json").models == done.models


def test_a_model_that_fails_is_named_with_its_reason_and_the_others_go_on(plain, monkeypatch):
    real = fitted.fit

    def failing(recipe, *args, **named):
        if recipe.architecture == NAMES[0]:
            raise HipauditError("a finite loss", "NaN in epoch 1, step 3", "Use a smaller lr.")
        return real(recipe, *args, **named)

    monkeypatch.setattr(fitted, "fit", failing)
    results = plain()
    assert [model.state for model in results.models] == ["failed", "done"]
    assert "NaN in epoch 1, step 3" in results.models[0].reason
    assert results.tests == ()


def test_a_crash_of_a_library_is_a_reason_without_a_path(plain, monkeypatch):
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("cannot read '/scans/J Doe/1.png'")

    monkeypatch.setattr(fitted, "fit", crash)
    results = plain()
    assert {model.state for model in results.models} == {"failed"}
    assert "Doe" not in results.to_json()


def test_an_audit_that_fails_leaves_the_tested_model(plain, monkeypatch):
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr("trainers.study.carry.conduct", crash)
    model = plain(preset="ci", architectures=NAMES[:1]).models[0]
    assert (model.state, model.audit) == ("done", None)
    assert "the audit failed: RuntimeError: no memory" in model.reason


def test_a_figure_that_cannot_be_drawn_is_said_in_a_note(plain, monkeypatch):
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("no font")

    monkeypatch.setattr("trainers.study.figures.attacked", crash)
    results = plain(architectures=NAMES[:1], images=True)
    assert [n.text for n in results.notes if n.code == "figure"] == [
        "Figure 2 could not be drawn: RuntimeError: no font"
    ]
    assert {a.kind for a in results.artefacts} >= {"augmentation"}


def test_without_leave_to_show_images_there_is_no_picture(plain, tmp_path):
    results = plain(architectures=NAMES[:1])
    assert results.artefacts == ()
    assert not list((tmp_path / "study").rglob("*.png"))


def test_as_published_the_same_images_choose_and_are_reported_and_that_is_said(tmp_path):
    data = write_radiographs(tmp_path / "data")
    splits = read_splits(data, DataOptions(), as_published=True)
    options = replace(OPTIONS, as_published=True, architectures=NAMES[:1])
    results = models_study(splits, tmp_path / "study", options, Quiet())
    assert results.as_published
    assert results.splits[1].images == results.splits[2].images == 24
    assert "as-published" in {note.code for note in results.notes}
    chosen = results.models[0].epochs[results.models[0].best_epoch - 1]
    (accuracy,) = [
        f for f in results.models[0].findings
        if f.metric == "accuracy" and not f.group and f.contrast is None
    ]  # fmt: skip
    assert accuracy.value == pytest.approx(chosen.val_accuracy)


def test_the_folder_of_another_study_is_left_alone(plain, tmp_path):
    plain(architectures=NAMES[:1])
    before = (tmp_path / "study" / "study.json").read_bytes()
    for change in ({"seed": 1}, {"settings": {**SETTINGS, "lr": 2e-3}}, {"as_published": True}):
        with pytest.raises(HipauditError, match="other work in it"):
            plain(**change)
    assert (tmp_path / "study" / "study.json").read_bytes() == before


def test_a_folder_with_files_of_somebody_else_is_left_alone(plain, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "letter.txt").write_text("dear")
    with pytest.raises(HipauditError, match="other files in it"):
        plain()


def test_a_model_may_join_a_study(plain):
    first = plain(architectures=NAMES[:1])
    both = plain()
    assert both.models[0] == first.models[0]
    assert both.models[1].state == "done"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"architectures": ("resnet5",)}, "resnet50"),
        ({"architectures": NAMES[:1] * 2}, "twice"),
        ({"settings": {"epoch": 3}}, "max_epochs"),
        ({"settings": {**SETTINGS, "size": 8}}, "--size 17"),
        ({"positive_class": "fractur"}, 'Did you mean "fracture"'),
        ({"preset": "fast"}, "preset"),
        ({"weights": Path("nowhere")}, "nothing at"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(plain, tmp_path, change, said):
    with pytest.raises(HipauditError, match=said):
        plain(**change)
    assert not (tmp_path / "study").exists()


def test_timings_lie_outside_the_results(whole):
    folder, _ = whole
    timings = json.loads((folder / "timings.json").read_text())
    assert set(timings) == set(NAMES)
    assert all(set(parts) == {"fit", "test", "audit"} for parts in timings.values())
    assert "seconds" not in (folder / "study.json").read_text()


def test_a_training_log_lies_beside_every_model(whole, tmp_path):
    folder, _ = whole
    for name in NAMES:
        training = folder / "models" / name / "training"
        assert len((training / "log.csv").read_text().splitlines()) == 3
        assert json.loads((training / "log.json").read_text())["recipe"]["size"] == 32
    shutil.copytree(folder / "models", tmp_path / "models")  # the whole can be carried away

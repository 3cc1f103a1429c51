"""`hipaudit study KIND` calls the function of that kind with the data and options typed."""

from __future__ import annotations

import importlib

import pytest

from audit.results import Provenance
from audit.study_results import StudyResults, Trained
from hipaudit.commands.study import STUDIES
from tests.radiographs import write_radiographs

TYPED = (
    "--data", "data", "--weights", "none", "--size", "64", "--batch-size", "8", "--preset", "none",
    "--models", "squeezenet1_1", "--no-images", "-q",
)  # fmt: skip
FUNCTIONS = {
    "models": "trainers.study.run.models_study",
    "views": "trainers.study.views.views_study",
    "learning-curve": "trainers.study.learning_curve.learning_curve_study",
    "resolution": "trainers.study.resolution.resolution_study",
}


def results_of(kind: str, state: str) -> StudyResults:
    return StudyResults(
        kind=kind, title="A study", classes=("normal", "fracture"), positive_class="fracture",
        splits=(), provenance=Provenance(date="2020-01-01"),
        models=(Trained(name="m", title="M", architecture="squeezenet1_1", state=state),),
    )  # fmt: skip


@pytest.fixture
def called(elsewhere, monkeypatch):
    """Every study's function is replaced; the list holds (kind, splits, folder, options)."""
    write_radiographs(elsewhere / "data")
    calls: list[tuple] = []
    for kind, place in FUNCTIONS.items():

        def conduct(splits, folder, options, progress, kind=kind):
            calls.append((kind, splits, folder, options))
            return results_of(kind, "done")

        module, name = place.rsplit(".", 1)
        monkeypatch.setattr(importlib.import_module(module), name, conduct)
    monkeypatch.setattr("hipaudit.studying.render", lambda *_, **__: ([], []))
    return calls


def test_every_study_that_fits_has_a_function():
    assert set(STUDIES) == set(FUNCTIONS)


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_kind_reaches_its_own_function_with_what_was_typed(called, hipaudit, kind):
    curve = ("--points", "64,32") if kind in ("learning-curve", "resolution") else ()
    typed = [*TYPED]
    if kind == "resolution":
        del typed[typed.index("--size") : typed.index("--size") + 2]
    code, _, err = hipaudit("study", kind, *typed, *curve, "--seed", "5")
    assert code == 0, err
    ((found, splits, folder, options),) = called
    assert (found, str(folder)) == (kind, f"hipaudit-out/study-{kind}")
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [48, 24, 40]
    assert options.points == ((64.0, 32.0) if curve else ())
    assert (options.architectures, options.seed) == (("squeezenet1_1",), 5)
    assert options.settings["batch_size"] == 8
    assert f"hipaudit study {kind} --data DATA" in options.command


def test_without_a_kind_the_models_are_compared(called, hipaudit):
    assert hipaudit("study", *TYPED)[0] == 0
    assert called[0][0] == "models"


def test_only_a_study_with_published_numbers_shows_a_column_of_them(called, hipaudit):
    _, out, _ = hipaudit("study", "views", *TYPED)
    assert "accuracy (Wilson)" in out
    assert "published" not in out

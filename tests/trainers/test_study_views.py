"""One network for all views, one per view, and the cascade: who joins, how they are compared."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from statsmodels.stats.multitest import multipletests

from audit.cases.arrays import from_arrays
from audit.cases.case import Cases
from audit.decision import Decision
from audit.errors import HipauditError
from audit.evidence import Predictions, Subject
from audit.results import Provenance
from audit.study_results import StudyResults, read_study
from tests.tables import evidence, rows, says
from trainers.progress import Quiet
from trainers.splits import Splits
from trainers.study import views
from trainers.study.cascaded import RECORD, TRAINING, told_of
from trainers.study.conduct import best_of
from trainers.study.member import Outcome
from trainers.study.options import StudyOptions
from trainers.study.views import differences, usable_views, views_study

CLASSES = ("normal", "fracture")
SETTINGS = {
    "size": 32, "freeze_epochs": 0, "max_epochs": 1, "batch_size": 16, "lr": 1e-3,
    "weight_decay": 1e-2, "augmentation": "none",
}  # fmt: skip
OPTIONS = StudyOptions(
    architectures=("resnet18",), weights="none", settings=SETTINGS, preset="none", images=False
)
EMPTY = StudyResults(
    kind="views", title="t", classes=CLASSES, positive_class="fracture", splits=(),
    provenance=Provenance(date="2020-01-01"),
)  # fmt: skip


def opposed(count: int, seed: int, views_of=("frontal", "lateral")) -> Cases:
    """32 × 32: a light disc is a fracture in frontal images and none in any other view.

    Light, dark and view are balanced, so that a picture alone says nothing of its label.
    """
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:32, :32]
    disc = (x - 16) ** 2 + (y - 16) ** 2 < 64
    images, labels, seen = [], [], []
    for number in range(count):
        view = views_of[number % len(views_of)]
        light = number // len(views_of) % 2 == 1
        images.append(draw.uniform(0.3, 0.6, (32, 32)) + (0.3 if light else -0.3) * disc)
        labels.append("fracture" if light == (view == "frontal") else "normal")
        seen.append(view)
    images = [image.clip(0, 1).astype(np.float32) for image in images]
    return from_arrays(images, labels, attributes={"view": seen})


def splits_of(train: int, val: int, test: int, **more: object) -> Splits:
    return Splits(*(opposed(n, seed, **more) for seed, n in enumerate((train, val, test))))


def answers(cases: Cases, wrong: set[str]) -> Predictions:
    """A table that calls every case rightly but those whose ids are `wrong`."""
    targets = [CLASSES.index(case.label) for case in cases]
    called = [1 - t if case.id in wrong else t for t, case in zip(targets, cases, strict=True)]
    subjects = tuple(
        Subject(case.id, target, case.patient, case.attributes)
        for case, target in zip(cases, targets, strict=True)
    )
    everyone = range(len(cases))
    clean = evidence(rows(everyone, says(called)), everyone)
    return Predictions(subjects, CLASSES, Decision(1), (clean,))


@pytest.fixture
def study(monkeypatch):
    """The study without fitting: `wrong(member) -> ids` it gets wrong, None where it failed."""

    def carried_out(splits: Splits, wrong, options: StudyOptions = OPTIONS):
        def conduct(kind, title, members, *_: object, complete):
            outcomes = []
            for member in members:
                ids = wrong(member)
                state = "failed" if ids is None else "done"
                row = member.planned().model_copy(update={"state": state, "parameters": 7})
                found = None if ids is None else answers(member.test, ids)
                outcomes.append(Outcome(member, row, found))
            models = tuple(outcome.trained for outcome in outcomes)
            return complete(EMPTY.model_copy(update={"models": models}), outcomes), outcomes

        monkeypatch.setattr(views, "conduct_study", conduct)
        return views_study(splits, "nowhere", options, Quiet())

    return carried_out


def accuracy(model, **group: str) -> float:
    (found,) = [
        f for f in model.findings
        if (f.metric, f.contrast, f.group) == ("accuracy", None, group)
    ]  # fmt: skip
    return found.value


def test_views_with_both_labels_everywhere_and_enough_of_each_for_training_are_usable():
    assert usable_views(splits_of(40, 8, 8)) == ["frontal", "lateral"]
    assert usable_views(splits_of(36, 8, 8)) == []  # nine of each label in each view
    assert usable_views(splits_of(80, 2, 8)) == []  # val has one label only in each view


def test_an_unknown_view_is_no_view():
    assert usable_views(splits_of(80, 8, 8, views_of=("frontal", "unknown"))) == ["frontal"]


def test_fewer_than_two_views_are_refused_and_those_found_are_named(tmp_path):
    for name, found in (("unknown", "frontal"), ("", "frontal")):
        with pytest.raises(HipauditError, match=f"at least two views .* found {found}"):
            views_study(
                splits_of(80, 8, 8, views_of=("frontal", name)), tmp_path / "o", OPTIONS, Quiet()
            )
    assert not (tmp_path / "o").exists()


def test_two_architectures_are_refused(tmp_path):
    both = replace(OPTIONS, architectures=("resnet18", "alexnet"))
    with pytest.raises(HipauditError, match="--models"):
        views_study(splits_of(40, 8, 8), tmp_path, both, Quiet())


def test_each_network_is_fitted_to_and_tested_on_its_views_the_first_trains_on_all(study):
    splits = splits_of(120, 24, 24, views_of=("frontal", "lateral", "unknown"))
    _, outcomes = study(splits, lambda member: set())
    rows_ = [
        (o.member.name, len(o.member.train), len(o.member.val), len(o.member.test))
        for o in outcomes
    ]
    assert rows_ == [
        ("all-views", 120, 24, 16),
        ("per-view-frontal", 40, 8, 8),
        ("per-view-lateral", 40, 8, 8),
        ("cascade", 120, 24, 16),
    ]


def test_where_views_oppose_each_other_networks_per_view_win_by_the_counts(study):
    """The first calls every light disc a fracture: all lateral images wrong, half of the test."""
    splits = splits_of(40, 8, 40)
    lateral = {case.id for case in splits.test if case.attributes["view"] == "lateral"}
    results, _ = study(splits, lambda m: lateral if m.name == "all-views" else set())
    by_name = {model.name: model for model in results.models}
    assert list(by_name) == [
        "all-views", "per-view-frontal", "per-view-lateral", "per-view", "cascade",
    ]  # fmt: skip
    assert accuracy(by_name["per-view"]) == 1.0
    assert accuracy(by_name["per-view"], view="lateral") == 1.0
    assert by_name["per-view"].parameters == 14
    first = results.findings[0]
    assert (first.params, first.contrast) == ({"model": "per-view"}, "model=all-views")
    assert (first.value, first.n) == (0.5, 40)
    assert first.low > 0
    (test,) = [t for t in results.tests if (t.first, t.second) == ("all-views", "per-view")]
    assert (test.only_first, test.only_second, test.n) == (0, 20, 40)
    assert test.p == pytest.approx(binomtest(20, 20).pvalue)
    raw = [t.p for t in results.tests]
    corrected = multipletests(raw, method="holm")[1]
    assert [t.p_holm for t in results.tests] == pytest.approx(list(corrected))
    assert results.baseline == 0.5


def test_a_network_of_a_view_that_failed_fails_the_arrangement_and_leaves_the_others(study):
    results, _ = study(
        splits_of(40, 8, 8), lambda m: None if m.name == "per-view-lateral" else set()
    )
    by_name = {model.name: model for model in results.models}
    assert by_name["per-view"].state == "failed"
    assert by_name["per-view"].reason == "no network for lateral: it failed"
    assert [(t.first, t.second) for t in results.tests] == [("all-views", "cascade")]


def test_the_best_is_sought_among_those_who_saw_the_whole_test_split(study):
    splits = splits_of(40, 8, 40)
    some = {splits.test[0].id}
    _, outcomes = study(splits, lambda m: some if m.name in ("all-views", "cascade") else set())
    tested = [
        replace(
            o,
            trained=o.trained.model_copy(
                update={"findings": views.findings_of(o.predictions, (), 0)}
            ),
        )
        for o in outcomes
    ]
    assert best_of(tested).member.name == "all-views"  # a view alone has 100%, of half the images


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (3, 9), (12, 1), (0, 20)])
def test_a_difference_has_the_interval_of_bonett_and_price(only_first, only_second):
    """By the formula of the paper (2012, eq. 3), with a normal quantile of scipy's."""
    first, second = np.zeros(40, bool), np.zeros(40, bool)
    first[:only_first] = True
    second[only_first : only_first + only_second] = True
    first[-5:] = second[-5:] = True
    (found,) = differences({"a": first, "b": second})
    p, q = (only_second + 1) / 42, (only_first + 1) / 42
    half = norm.ppf(0.975) * np.sqrt((p + q - (p - q) ** 2) / 42)
    assert found.value == pytest.approx((only_second - only_first) / 40)
    assert (found.low, found.high) == pytest.approx((p - q - half, p - q + half), abs=1e-6)
    assert (found.params, found.contrast) == ({"model": "b"}, "model=a")


def test_the_links_of_a_cascade_are_told_and_what_was_left_out(tmp_path):
    checkpoint = tmp_path / "model.pt"
    assert told_of(checkpoint) == ""
    (tmp_path / TRAINING).mkdir()
    record = tmp_path / TRAINING / RECORD
    said = {
        "links": ["view", "branch frontal"],
        "left_out": {"metal": "7 images of metal in train, at least 8 wanted"},
        "val": {"view_accuracy": 0.75, "view_n": 40},
    }
    record.write_text(json.dumps(said))
    assert told_of(checkpoint) == (
        "The cascade has the links view, branch frontal. Metal was left out: 7 images of metal "
        "in train, at least 8 wanted. It names the view of 75.0% of 40 validation images rightly."
    )
    for damaged in ("", "[]", "{}", '{"links": 3}', '{"links": [], "left_out": {}, "val": 1}'):
        record.write_text(damaged)
        assert told_of(checkpoint) == ""


@pytest.mark.slow
def test_networks_per_view_learn_what_one_network_for_all_cannot(tmp_path, monkeypatch):
    """A failed cascade leaves the other two; the picture alone says nothing of its label."""

    def refuse(*_: object) -> None:
        raise HipauditError("a cascade", "none")

    monkeypatch.setattr(views, "fit_cascade_member", refuse)
    options = replace(OPTIONS, settings={**SETTINGS, "max_epochs": 6, "patience": 0})
    results = views_study(splits_of(128, 48, 64), tmp_path, options, Quiet())
    by_name = {model.name: model for model in results.models}
    assert by_name["cascade"].state == "failed"
    assert accuracy(by_name["per-view"]) > 0.9
    assert accuracy(by_name["all-views"]) < 0.7
    assert results.findings[0].low > 0
    assert read_study(tmp_path / "study.json") == results


@pytest.mark.slow
def test_the_whole_study_of_views_with_its_cascade_is_resumed_without_fitting(
    tmp_path, monkeypatch
):
    options = replace(OPTIONS, architectures=("squeezenet1_1",))
    splits = splits_of(64, 32, 32)
    results = views_study(splits, tmp_path, options, Quiet())
    assert [(m.name, m.state) for m in results.models] == [
        ("all-views", "done"), ("per-view-frontal", "done"), ("per-view-lateral", "done"),
        ("per-view", "done"), ("cascade", "done"),
    ]  # fmt: skip
    assert len(results.tests) == len(results.findings) == 3
    (note,) = [note.text for note in results.notes if note.code == "cascade"]
    assert "branch frontal" in note
    cascade = results.models[-1]
    assert cascade.recipe["lr"] == results.models[0].recipe["lr"] == 1e-3
    assert cascade.parameters > results.models[3].parameters

    def never(*_: object, **__: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr("trainers.study.fitted.fit", never)
    monkeypatch.setattr("trainers.study.cascaded.fit_cascade", never)
    assert views_study(splits, tmp_path, options, Quiet()) == results

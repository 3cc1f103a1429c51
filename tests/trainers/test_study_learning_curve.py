"""The learning curve: nested parts of whole patients, and what is refused before any work."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from audit.cases.arrays import from_arrays
from audit.cases.options import DataOptions
from audit.errors import HipauditError
from audit.study_results import read_study
from tests.radiographs import write_radiographs
from trainers.progress import Quiet
from trainers.splits import read_splits
from trainers.study import learning_curve
from trainers.study.learning_curve import learning_curve_study, nested, parts_of
from trainers.study.options import StudyOptions

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
SETTINGS = {
    "size": 32, "freeze_epochs": 1, "max_epochs": 0, "batch_size": 8, "lr": 1e-3,
    "weight_decay": 1e-2,
}  # fmt: skip
OPTIONS = StudyOptions(
    architectures=("squeezenet1_1",), weights="none", settings=SETTINGS, preset="none", images=False
)


def people(normal: int, broken: int, both: int = 0, images: int = 2):
    """`images` radiographs of each patient; `both` of them have one label on each."""
    labels, patients = [], []
    for number in range(normal + broken + both):
        own = "normal" if number < normal else "fracture"
        for place in range(images):
            other = number >= normal + broken and place % 2
            labels.append("normal" if other else own)
            patients.append(f"p{number}")
    draw = np.random.default_rng(0)
    return from_arrays(draw.random((len(labels), 4, 4)), labels, patients=patients)


def ids(cases) -> set[str]:
    return {case.id for case in cases}


@pytest.fixture(scope="module")
def train():
    return people(normal=64, broken=32, both=16)


def test_a_larger_part_holds_every_smaller_one_and_the_largest_is_everything(train):
    parts = [ids(nested(train, share, seed=3)) for share in SHARES]
    for smaller, larger in pairwise(parts):
        assert smaller < larger
    assert parts[-1] == ids(train)


@pytest.mark.parametrize("share", SHARES)
def test_patients_are_taken_whole(train, share):
    taken = nested(train, share, seed=3)
    everything = Counter(case.patient for case in train)
    assert all(count == everything[who] for who, count in Counter(c.patient for c in taken).items())


@pytest.mark.parametrize("share", SHARES)
def test_every_kind_of_patient_is_taken_in_its_share(train, share):
    """64 normal, 32 broken and 16 with both: each share of each is a whole number."""
    labels: dict[str, set[str]] = {}
    for case in nested(train, share, seed=3):
        labels.setdefault(case.patient, set()).add(case.label)
    found = Counter(tuple(sorted(own)) for own in labels.values())
    assert found == {
        ("normal",): 64 * share, ("fracture",): 32 * share, ("fracture", "normal"): 16 * share,
    }  # fmt: skip


def test_the_number_of_images_is_the_share_to_within_one_patient_of_each_kind():
    cases = people(normal=37, broken=23, both=5, images=3)
    for share in (0.11, 0.3, 0.47, 0.81):
        # rounding is off by half a patient at most, of three images, in each of three strata
        assert abs(len(nested(cases, share, 0)) - share * len(cases)) <= 3 * 3 * 0.5


def test_the_smallest_part_still_has_both_labels():
    assert nested(people(normal=40, broken=3), 0.01, 0).labels == ("fracture", "normal")


def test_another_seed_takes_other_patients_and_the_same_seed_the_same(train):
    assert ids(nested(train, 0.25, 0)) == ids(nested(train, 0.25, 0))
    assert ids(nested(train, 0.25, 0)) != ids(nested(train, 0.25, 1))


def test_images_without_a_patient_are_patients_of_their_own():
    cases = from_arrays(np.random.default_rng(0).random((20, 4, 4)), ["a", "b"] * 10)
    assert Counter(case.label for case in nested(cases, 0.5, 0)) == {"a": 5, "b": 5}


def sizes(train, batch: int, *points: float) -> list[int]:
    return [len(part) for part in parts_of(train, StudyOptions(points=points), batch)]


def test_points_are_shares_where_all_are_at_most_one_and_numbers_of_images_otherwise(train):
    assert sizes(train, 2, 1, 0.5, 0.25) == [56, 112, 224]
    assert sizes(train, 2, 224, 112, 56) == [56, 112, 224]


def test_points_that_come_to_the_same_part_count_once(train):
    assert sizes(train, 2, 0.5, 0.501, 1) == [112, 224]


def test_without_points_what_is_smaller_than_a_batch_is_left_out(train):
    assert sizes(train, 2) == [14, 28, 56, 112, 224]
    assert sizes(train, 32) == [56, 112, 224]
    assert sizes(train, 500) == [224]  # the fitting says what is wrong with it


@pytest.mark.parametrize(
    ("points", "batch", "said"),
    [
        ((0.0, 0.5), 2, "above 0"),
        ((-1.0,), 2, "above 0"),
        ((100, 225), 2, "at most 224 images, but found 225"),
        ((0.0625, 1), 32, "one batch of 32 images, but found 14 images at --points 0.0625"),
        ((1, 224), 32, "--batch-size 6"),
    ],
)
def test_points_that_cannot_be_are_refused(train, points, batch, said):
    with pytest.raises(HipauditError, match=said):
        parts_of(train, StudyOptions(points=points), batch)


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return read_splits(write_radiographs(tmp_path_factory.mktemp("data")), DataOptions())


def test_a_wrong_point_or_setting_leaves_no_folder(splits, tmp_path):
    for change, said in (
        ({"points": (0.1, 1.0)}, "one batch of 8"),
        ({"settings": {"epoch": 3}}, "max_epochs"),
        ({"architectures": ("resnet5",)}, "resnet50"),
    ):
        fields = {name: getattr(OPTIONS, name) for name in OPTIONS.__slots__}
        with pytest.raises(HipauditError, match=said):
            learning_curve_study(
                splits, tmp_path / "out", StudyOptions(**{**fields, **change}), Quiet()
            )
    assert not (tmp_path / "out").exists()


def test_every_architecture_is_fitted_to_every_part_and_tested_on_the_same_images(
    splits, tmp_path, monkeypatch
):
    planned = {}

    def conduct(kind, title, members, *_: object, **__: object) -> None:
        planned.update(kind=kind, title=title, members=members)

    monkeypatch.setattr(learning_curve, "conduct_study", conduct)
    both = StudyOptions(architectures=("alexnet", "resnet50"), settings=SETTINGS, points=(0.5, 1.0))
    learning_curve_study(splits, tmp_path, both, Quiet())
    assert planned["kind"] == "learning-curve"
    members = planned["members"]
    assert [(m.architecture, m.settings["images"], len(m.train)) for m in members] == [
        ("alexnet", 24, 24), ("alexnet", 48, 48), ("resnet50", 24, 24), ("resnet50", 48, 48),
    ]  # fmt: skip
    assert all(m.val is splits.val and m.test is splits.test for m in members)


@pytest.mark.slow
def test_a_learning_curve_is_drawn_from_its_points_and_extends_by_more(splits, tmp_path):
    fields = {name: getattr(OPTIONS, name) for name in OPTIONS.__slots__}
    options = StudyOptions(**{**fields, "points": (0.25, 1.0)})
    results = learning_curve_study(splits, tmp_path, options, Quiet())
    assert [model.settings["images"] for model in results.models] == [12, 48]
    for model in results.models:
        assert model.state == "done"
        (found,) = [
            f for f in model.findings
            if f.metric == "accuracy" and not f.group and f.contrast is None
        ]  # fmt: skip
        assert found.n == 40
    assert results.baseline == 0.5
    assert "learning-curve" in {note.code for note in results.notes}
    assert read_study(tmp_path / "study.json") == results
    more = learning_curve_study(
        splits, tmp_path, StudyOptions(**{**fields, "points": (0.25, 0.5, 1.0)}), Quiet()
    )
    assert (more.models[0], more.models[2]) == results.models
    assert more.models[1].settings["images"] == 24

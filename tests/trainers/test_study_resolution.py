"""The resolution sweep: which sizes, and what Grad-CAM can and cannot say of lesion boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from audit.cases.arrays import from_arrays
from audit.cases.case import Cases
from audit.errors import HipauditError
from audit.results import Finding, ProbeReport
from audit.study_results import read_study
from tests.doubles import cases_of, classifier_of
from tests.tables import evidence, rows, says, table
from trainers.progress import Quiet
from trainers.splits import Splits
from trainers.study import resolution
from trainers.study.cascaded import frame_side
from trainers.study.member import Member, Outcome
from trainers.study.options import StudyOptions
from trainers.study.resolution import localisation, resolution_study, short_side

SETTINGS = {
    "freeze_epochs": 1, "max_epochs": 0, "batch_size": 8, "lr": 1e-3, "weight_decay": 1e-2,
}  # fmt: skip
OPTIONS = StudyOptions(
    architectures=("squeezenet1_1",), weights="none", settings=SETTINGS, preset="none", images=False
)


def images(shapes: list[tuple[int, int]], seed: int = 0, boxes: bool = False) -> Cases:
    """Noise; every second is a fracture: a light square in the upper left, boxed if asked."""
    draw = np.random.default_rng(seed)
    pixels = [draw.uniform(0, 0.5, shape).astype(np.float32) for shape in shapes]
    labels = ["fracture" if place % 2 else "normal" for place in range(len(shapes))]
    places: list[list[tuple[float, ...]]] = [[] for _ in shapes]
    for place, image in enumerate(pixels):
        if place % 2:
            h, w = image.shape[0] // 4, image.shape[1] // 4
            image[:h, :w] += 0.5
            if boxes:
                places[place] = [(0.0, 0.0, float(w), float(h))]
    return from_arrays(pixels, labels, boxes=places)


def splits_of(shapes: list[tuple[int, int]], boxes: bool = False) -> Splits:
    return Splits(*(images(shapes, seed, boxes) for seed in (1, 2, 3)))


def planned(monkeypatch, splits: Splits, options: StudyOptions) -> list[Member]:
    """The members that a study would fit."""
    found: list[Member] = []

    def conduct(kind, title, members, *_: object, **__: object) -> None:
        found.extend(members)

    monkeypatch.setattr(resolution, "conduct_study", conduct)
    resolution_study(splits, "nowhere", options, Quiet())
    return found


def sizes(monkeypatch, splits: Splits, *points: float) -> list[int]:
    members = planned(monkeypatch, splits, replace(OPTIONS, points=points))
    assert all(member.overrides == member.settings for member in members)
    return [member.overrides["size"] for member in members]


def test_the_short_side_is_the_median_over_the_test_images():
    assert short_side(splits_of([(40, 90), (50, 30), (80, 70)])) == 40  # of 40, 30 and 70


@pytest.mark.parametrize(
    ("side", "expected"),
    [(63, [64]), (64, [64]), (130, [64, 96, 128]), (320, [64, 96, 128, 224, 320])],
)
def test_without_points_sizes_go_up_to_that_of_the_images(monkeypatch, side, expected):
    assert sizes(monkeypatch, splits_of([(side, side + 9)] * 2)) == expected


def test_sizes_asked_for_are_taken_sorted_even_above_the_images(monkeypatch):
    assert sizes(monkeypatch, splits_of([(64, 64)] * 2), 128, 48) == [48, 128]


@pytest.mark.parametrize("point", [0.5, 31, 64.5, 1025])
def test_a_size_that_is_not_whole_or_out_of_range_is_refused(monkeypatch, point):
    with pytest.raises(HipauditError, match=f"32 to 1024, but found {point:g}"):
        sizes(monkeypatch, splits_of([(64, 64)] * 2), 64, point)


def test_one_size_for_all_beside_the_sizes_is_refused(monkeypatch):
    both = replace(OPTIONS, points=(64, 96), settings={**SETTINGS, "size": 64})
    with pytest.raises(HipauditError, match="--points"):
        planned(monkeypatch, splits_of([(96, 96)] * 2), both)


def test_a_size_that_the_network_cannot_take_is_refused_before_any_work(tmp_path):
    options = replace(OPTIONS, architectures=("alexnet",), points=(48, 64))
    with pytest.raises(HipauditError, match="alexnet"):
        resolution_study(splits_of([(64, 64)] * 24), tmp_path / "out", options, Quiet())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("shapes", "crop", "side"),
    [
        ([(500, 600)], 224, 448),  # twice the crop
        ([(300, 600)], 224, 300),  # no more than there is
        ([(100, 600)], 224, 224),  # never less than the crop
        ([(3000, 3000)], 600, 1024),  # no more than LARGEST
        ([(300, 900), (800, 310), (900, 305)], 224, 305),  # the median
    ],
)
def test_the_frame_of_a_cascade_is_twice_its_crop_as_far_as_the_images_go(shapes, crop, side):
    flat = cases_of([0.1 * number for number in range(len(shapes))])
    cases = [replace(case, shape=shape) for case, shape in zip(flat, shapes, strict=True)]
    assert frame_side(cases, crop) == side


class Corner(nn.Module):
    """Says fracture by the light of the upper left sixteenth; the only map is the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Conv2d(1, 1, 1)
        nn.init.constant_(self.seen.weight, 1.0)
        nn.init.constant_(self.seen.bias, -0.5)
        self.steep = nn.Parameter(torch.tensor(40.0))

    def forward(self, x):
        light = torch.relu(self.seen(x[:, :1]))
        score = self.steep * light[..., :2, :2].mean(dim=(1, 2, 3)) - 4
        return torch.stack([-score, score], dim=1)


@pytest.fixture
def outcome(tmp_path):
    """What became of a member whose predictions are right: call with its test cases."""

    def made(cases: Cases) -> Outcome:
        member = Member("m", "M", "squeezenet1_1", cases, cases, cases)
        targets = [int(case.label == "fracture") for case in cases]
        found = table(targets, targets)
        ids = [case.id for case in cases]
        subjects = tuple(replace(s, id=i) for s, i in zip(found.subjects, ids, strict=True))
        right = replace(
            found,
            subjects=subjects,
            runs=(evidence(rows(range(len(ids)), says(targets)), range(len(ids))),),
        )
        return Outcome(member, member.planned(), right, tmp_path / "model.pt")

    return made


@pytest.fixture
def loaded(monkeypatch):
    """`load_classifier` gives this module over 8 × 8 pixels, whatever lies at the path."""

    def use(module: nn.Module, **changes: object):
        network = classifier_of(module, classes=("normal", "fracture"), **changes)
        monkeypatch.setattr(resolution, "load_classifier", lambda *_: network)
        return network

    return use


def test_without_boxes_the_reason_is_given_and_no_model_is_loaded(outcome, monkeypatch):
    def never(*_: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(resolution, "load_classifier", never)
    found = localisation(outcome(images([(8, 8)] * 4)), OPTIONS)
    assert found == (Finding(metric="cam_energy_in_box", reason="no lesion boxes in the data"),)


def test_a_member_that_was_not_fitted_has_no_localisation(outcome):
    done = outcome(images([(8, 8)] * 4, boxes=True))
    assert localisation(replace(done, checkpoint=None), OPTIONS) == ()
    assert localisation(replace(done, predictions=None), OPTIONS) == ()


def test_a_map_that_lies_in_the_box_has_all_its_energy_there_and_the_box_its_share(outcome, loaded):
    """The light pixels are the box exactly: a sixteenth of the image holds the whole map."""
    loaded(Corner(), cam_layer="seen")
    found = localisation(outcome(images([(8, 8)] * 40, boxes=True)), OPTIONS)
    by_name = {finding.metric: finding for finding in found}
    assert by_name["box_area"].value == pytest.approx(1 / 16)
    # the layer's ReLU follows it, so nothing is left outside the light square
    assert by_name["cam_energy_in_box"].value == pytest.approx(1.0)
    assert by_name["cam_energy_in_box"].n == 20
    assert not by_name["cam_energy_in_box"].imprecise


def test_a_mean_over_few_maps_is_marked_imprecise(outcome, loaded):
    loaded(Corner(), cam_layer="seen")
    found = localisation(outcome(images([(8, 8)] * 8, boxes=True)), OPTIONS)
    assert [(finding.n, finding.imprecise) for finding in found] == [(4, True)] * 2


def test_a_network_without_a_layer_to_look_at_says_so(outcome, loaded):
    loaded(Corner())
    (found,) = localisation(outcome(images([(8, 8)] * 4, boxes=True)), OPTIONS)
    assert found.value is None
    assert "no convolutional layer" in found.reason


def test_a_probe_that_crashes_leaves_a_reason_without_a_path(outcome, loaded, monkeypatch):
    def crash(_: object) -> ProbeReport:
        raise RuntimeError("cannot read '/scans/J Doe.png'")

    loaded(Corner())
    monkeypatch.setattr(resolution, "get_probe", lambda _: crash)
    (found,) = localisation(outcome(images([(8, 8)] * 4, boxes=True)), OPTIONS)
    assert found.reason == "RuntimeError: cannot read …"


@pytest.mark.slow
def test_a_sweep_fits_tests_and_locates_at_every_size(tmp_path):
    splits = splits_of([(48, 48)] * 24, boxes=True)
    options = replace(OPTIONS, points=(32, 64))
    results = resolution_study(splits, tmp_path, options, Quiet())
    assert read_study(tmp_path / "study.json") == results
    assert [(m.settings["size"], m.recipe["size"], m.state) for m in results.models] == [
        (32, 32, "done"), (64, 64, "done"),
    ]  # fmt: skip
    for model in results.models:
        located = [f for f in model.findings if f.metric == "cam_energy_in_box"]
        assert len(located) == 1
    (note,) = [n for n in results.notes if n.code == "native-size"]
    assert note.level == "warning"
    assert note.text == (
        "The median short side of the test images is 48 pixels; sizes above it (64) only enlarge."
    )

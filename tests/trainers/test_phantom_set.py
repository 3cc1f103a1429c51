"""A set of phantoms: counts, splits, planted shortcuts, files, and being interrupted."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.errors import HipauditError
from trainers.phantom import produce, write
from trainers.phantom.exposure import exposures_of, render
from trainers.phantom.patient import draw_patient
from trainers.phantom.people import Person, people_of
from trainers.phantom.spec import EASY, PhantomSpec, made, read_spec, scaled
from trainers.phantom.write import write_dataset, write_phantoms

SMALL = PhantomSpec(train=40, val=20, test=20, size=32, seed=5)


def table(folder, name="labels.csv"):
    with (folder / name).open() as stream:
        return list(csv.DictReader(stream))


def images(people, has=lambda p, k: True):
    return sum(has(p, k) for p in people for k in range(p.images))


# What is drawn


def test_the_default_set_has_the_counts_and_prevalences_of_the_thesis():
    people = people_of(PhantomSpec())
    for split, count, share in (("train", 6952, 0.431), ("val", 1676, 0.425)):
        crowd = [p for p in people if p.split == split]
        broken = images([p for p in crowd if p.fractured])
        assert images(crowd) == count
        assert broken == round(share * count)
    assert Counter(p.split for p in people)["test"] > 0
    assert sorted(p.number for p in people) == list(range(1, len(people) + 1))


def test_frontal_and_lateral_share_is_met_for_each_label_and_patients_have_several_images():
    people = people_of(PhantomSpec(frontal=0.6))
    for fractured in (True, False):
        crowd = [p for p in people if p.split == "train" and p.fractured is fractured]
        frontal = images(crowd, lambda p, k: p.positions[k] == "AP")
        assert frontal == round(0.6 * images(crowd))
    assert 0.85 < np.mean([p.images > 1 for p in people]) < 0.97  # 92% were asked for


FEATURES = {
    "scanner": lambda p, k: p.first_scanner,
    "age": lambda p, k: p.old,
    "marker": lambda p, k: p.marked[k],
    "view": lambda p, k: p.positions[k] == "AP",
}


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("strength", [0.0, 0.6, -0.3, 1.0])
def test_a_planted_shortcut_has_its_strength_as_a_difference_of_shares(feature, strength):
    spec = PhantomSpec(
        train=2000, val=800, test=800, shortcuts={feature: strength}, shortcut_splits=("train",)
    )
    people = people_of(spec)
    for split, wanted in (("train", strength), ("test", 0.0)):
        shares = {}
        for fractured in (True, False):
            crowd = [p for p in people if p.split == split and p.fractured is fractured]
            shares[fractured] = images(crowd, FEATURES[feature]) / images(crowd)
        assert shares[True] - shares[False] == pytest.approx(wanted, abs=0.005)


def test_wrong_labels_are_as_many_each_way_and_the_truth_is_kept(tmp_path):
    spec = replace(SMALL, train=200, val=100, test=0, label_noise=0.1)
    people = people_of(spec)
    for split, count in (("train", 200), ("val", 100)):
        wrong = [p for p in people if p.split == split and p.wrong]
        down = images([p for p in wrong if p.fractured])
        assert down == pytest.approx(0.05 * count, abs=1)
        assert images(wrong) - down == pytest.approx(0.05 * count, abs=1)
    few = replace(SMALL, label_noise=0.3)
    folder = write_dataset(tmp_path / "noisy", few) / "train"
    truth = {row["path"]: row for row in table(folder, "ground_truth.csv")}
    differ = [row for row in table(folder) if row["label"] != truth[row["path"]]["truth"]]
    assert len(differ) == 12
    assert all(truth[row["path"]]["label_wrong"] == "yes" for row in differ)


def test_the_ground_truth_names_every_fracture_and_where_it_is(pngs):
    rows = [
        row for split in ("train", "val", "test") for row in table(pngs / split, "ground_truth.csv")
    ]
    labels = {row["path"]: row for split in ("train", "val", "test") for row in table(pngs / split)}
    for row in rows:
        broken = row["truth"] == "fracture"
        assert (
            broken
            is (row["kind"] != "none")
            is (row["severity"] != "none")
            is bool(row["fracture_x"])
        )
        assert bool(row["garden"]) is (row["kind"] == "neck")
        assert (row["marker_down"] != "") is (labels[row["path"]]["marker"] == "yes")
        assert row["scanner"] == labels[row["path"]]["scanner"]
        if row["boxes"]:
            xmin, ymin, xmax, ymax = map(float, row["boxes"].split())
            if row["in_frame"] == "yes":
                assert xmin <= float(row["fracture_x"]) <= xmax
                assert ymin <= float(row["fracture_y"]) <= ymax
    moved = {
        row["severity"]: float(row["displacement_mm"]) for row in rows if row["displacement_mm"]
    }
    assert moved["gross"] > moved["slight"]


def test_severities_come_in_the_shares_asked_for():
    spec = PhantomSpec(occult=0.2, slight=0.3, moderate=0.4, intertrochanteric=0.25)
    drawn = [draw_patient(Person(n, "train", True), spec).fracture for n in range(1, 801)]
    counted = Counter(fracture.severity for fracture in drawn)
    for severity, share in (("occult", 0.2), ("slight", 0.3), ("moderate", 0.4), ("gross", 0.1)):
        assert counted[severity] / 800 == pytest.approx(share, abs=0.05)
    assert sum(f.kind == "neck" for f in drawn) / 800 == pytest.approx(0.75, abs=0.05)
    assert all((f.garden == "") == (f.kind != "neck") for f in drawn)
    assert {f.garden for f in drawn} == {"", "I", "II", "III", "IV"}


def test_a_patient_depends_on_seed_and_number_only():
    spec = PhantomSpec(seed=1)
    one, two = Person(7, "train", True), Person(8, "train", True)
    assert draw_patient(one, spec) == draw_patient(one, spec)
    assert draw_patient(one, spec) != draw_patient(two, spec)
    assert draw_patient(one, spec) != draw_patient(one, PhantomSpec(seed=2))
    assert draw_patient(Person(7, "train", False), spec).fracture is None


# What is written


@pytest.fixture(scope="module")
def pngs(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("phantoms") / "png", SMALL)


@pytest.fixture(scope="module")
def easy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms") / "easy"
    return write_phantoms(folder, patients=24, size=32, seed=5)


def test_every_split_has_its_count_and_no_patient_is_in_two(pngs):
    people = {}
    for split, count in (("train", 40), ("val", 20), ("test", 20)):
        rows = table(pngs / split)
        assert len(rows) == count == len(list((pngs / split).glob("*.png")))
        assert {row["split"] for row in rows} == {split}
        assert {row["label"] for row in rows} == {"fracture", "normal"}
        people[split] = {row["patient_id"] for row in rows}
    assert sum(map(len, people.values())) == len(set.union(*people.values()))


def test_every_folder_row_and_png_says_synthetic(pngs):
    from PIL import Image

    for place in (pngs, *(pngs / split for split in ("train", "val", "test"))):
        assert "SYNTHETIC" in (place / "SYNTHETIC").read_text()
    assert all(row["synthetic"] == "yes" for row in table(pngs / "test"))
    with Image.open(next((pngs / "test").glob("*.png"))) as image:
        assert "SYNTHETIC" in image.text["Comment"]


def test_the_specification_lies_beside_the_data_and_makes_the_same_data(pngs, tmp_path):
    record = json.loads((pngs / "spec.json").read_text())
    again = write_dataset(tmp_path / "again", made(record["spec"]))
    for file in sorted(pngs.rglob("*")):
        if file.is_file():
            assert file.read_bytes() == (again / file.relative_to(pngs)).read_bytes()


def test_an_audit_reads_the_set_with_its_attributes_patients_and_boxes(pngs):
    cases = read_cases(pngs / "test", DataOptions(split="test"))
    assert cases.description.synthetic
    assert cases.description.skipped == ()
    assert len(cases) == 20
    assert {case.attributes["view"] for case in cases} == {"frontal", "lateral"}
    attributes = {name for case in cases for name in case.attributes}
    assert attributes == {
        "view", "sex", "age_band", "laterality", "hardware", "scanner", "marker",
    }  # fmt: skip
    assert any(case.boxes for case in cases if case.label == "fracture")
    assert not any(case.boxes for case in cases if case.label == "normal")


def test_the_demo_set_is_dicom_with_both_views_of_each_patient(easy):
    rows = [row for split in ("train", "val", "test") for row in table(easy / split)]
    views = sorted((row["patient_id"], row["view"]) for row in rows)
    assert views == sorted((p, v) for p, _ in views[::2] for v in ("frontal", "lateral"))
    assert len(rows) == 48
    assert sum(row["label"] == "fracture" for row in rows) / 48 == round(24 * 0.43) / 24
    cases = read_cases(easy / "test", DataOptions(split="test"))
    assert cases.description.synthetic
    assert cases.description.skipped == ()
    assert len(cases) == len(table(easy / "test"))


def test_reading_a_dicom_gives_back_the_rendered_pixels_whatever_its_polarity(tmp_path):
    spec = replace(EASY, train=8, val=0, test=0, size=32, seed=3, first_scanner=0.3)
    folder = write_dataset(tmp_path / "dicom", spec) / "train"
    shown = [case.load() for case in read_cases(folder, DataOptions(split="train"))]
    shots = [shot for person in people_of(spec) for shot in exposures_of(person, spec)]
    assert {shot.scanner.inverted for shot in shots} == {True, False}
    for shot in shots:
        nearest = min(float(np.abs(render(shot) - image).max()) for image in shown)
        assert nearest < 1 / 2000  # 12 bits and the window's half level


# Stopping, starting, refusing


def test_an_interrupted_set_is_taken_up_and_ends_with_the_same_bytes(pngs, tmp_path, monkeypatch):
    calls = []

    original = produce.phantom_png

    def broken(pixels):
        calls.append(1)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return original(pixels)

    monkeypatch.setattr(produce, "phantom_png", broken)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "set", SMALL)
    assert not (tmp_path / "set" / "train" / "labels.csv").exists()
    assert not list((tmp_path / "set").rglob("*.part"))
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "set").rglob("*.png")}
    assert kept
    write_dataset(tmp_path / "set", SMALL)
    assert all(file.stat().st_mtime_ns == moment for file, moment in kept.items())
    for file in pngs.rglob("*"):
        if file.is_file():
            again = tmp_path / "set" / file.relative_to(pngs)
            assert file.read_bytes() == again.read_bytes()


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_torn(tmp_path, monkeypatch):
    import os

    real, count = os.replace, []

    def full(source, target):
        count.append(1)
        if len(count) > 6:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(HipauditError, match="No space left on device"):
        write_dataset(tmp_path / "set", SMALL)
    assert not list((tmp_path / "set").rglob("*.part"))


@pytest.mark.slow
def test_several_processes_write_the_same_bytes_as_one(tmp_path):
    spec = replace(SMALL, train=250, val=0, test=0)
    one = write_dataset(tmp_path / "one", spec)
    two = write_dataset(tmp_path / "two", spec, workers=2)
    for file in one.rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (two / file.relative_to(one)).read_bytes()


@pytest.mark.slow
def test_what_goes_wrong_in_a_process_is_said_as_if_it_were_here(tmp_path):
    spec = replace(SMALL, train=250, val=0, test=0)
    write._claim(tmp_path / "set", {
        "spec": spec.recorded(), "source": write.source_digest(), "synthetic": True,
    })  # fmt: skip
    (tmp_path / "set" / "train").write_text("a file where a folder should be")
    with pytest.raises(HipauditError, match="to write SYN"):
        write_dataset(tmp_path / "set", spec, workers=2)


def test_a_folder_with_other_files_or_another_set_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    for call in (
        lambda: write_phantoms(tmp_path, patients=24),
        lambda: write_dataset(tmp_path, SMALL),
    ):
        with pytest.raises(HipauditError, match="empty or new folder"):
            call()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    write._claim(tmp_path / "set", {"spec": 1})
    with pytest.raises(HipauditError, match="another specification or version"):
        write_dataset(tmp_path / "set", SMALL)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"patients": 4}, "enough patients"),
        ({"patients": 24, "prevalence": 1.0}, "prevalence"),
        ({"patients": 24, "splits": {"train": 0.5}}, "sum to 1"),
    ],
)
def test_impossible_demo_sets_are_refused_in_one_line(tmp_path, settings, said):
    with pytest.raises(HipauditError, match=said):
        write_phantoms(tmp_path / "new", size=32, **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"occult": 1.2}, r"occult in \[0, 1\]"),
        ({"occult": 0.6, "slight": 0.6}, "occult . slight . moderate"),
        ({"train": 1}, "both labels in train"),
        ({"train": 0, "val": 0, "test": 0}, "at least one split"),
        ({"size": 8}, "size from 32"),
        ({"form": "jpeg"}, "format dicom or png"),
        ({"images_per_patient": (0.5,)}, "sum to 1"),
        ({"field_mm": (300, 100)}, "field_mm"),
        ({"shortcuts": {"markr": 0.5}}, 'Did you mean "marker"'),
        ({"shortcuts": {"marker": 1.5}}, r"strength of marker in \[-1, 1\]"),
        ({"shortcut_splits": ("training",)}, "shortcut_splits"),
        ({"ocult": 0.1}, 'Did you mean "occult"'),
        ({"occult": "much"}, "occult like"),
        ({"train": True}, "train like"),
    ],
)
def test_impossible_specifications_are_refused_in_one_line(settings, said):
    with pytest.raises(HipauditError, match=said):
        made(settings)


def test_a_specification_is_read_from_toml(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'train = 100\nsize = 64\nfield_mm = [100, 120]\nform = "dicom"\n[shortcuts]\nmarker = 1\n'
    )
    spec = read_spec(file)
    assert (spec.train, spec.size, spec.form) == (100, 64, "dicom")
    assert spec.field_mm == (100.0, 120.0)
    assert spec.shortcuts == {"marker": 1.0}
    assert spec.val == PhantomSpec().val


@pytest.mark.parametrize("text", ["train = ", "tain = 3", "[train]\nx = 1"])
def test_a_bad_toml_is_refused_by_its_name_only(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(HipauditError) as caught:
        read_spec(file)
    assert str(tmp_path) not in str(caught.value)


def test_scaling_keeps_the_proportions_of_the_splits():
    spec = scaled(PhantomSpec(), 1000)
    assert (spec.train, spec.val, spec.test) == (675, 162, 163)
    no_test = scaled(PhantomSpec(train=100, val=100, test=0), 25)
    assert (no_test.train + no_test.val, no_test.test) == (25, 0)

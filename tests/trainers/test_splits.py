"""Splits: patients whole, labels and views as in the whole, declarations kept, overlaps refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from audit.cases.case import Case, Cases
from audit.cases.options import DataOptions
from audit.cases.private import private_csv
from audit.cases.read import read_cases
from audit.errors import HipauditError
from audit.results import DataDescription
from trainers.splits import part, read_splits

WORDS = ("train", "val", "test")


def case(number, label, patient=None, view="frontal", split="", digest=None):
    attributes = {"view": view, **({"split": split} if split else {})}
    return Case(
        id=digest or f"{number:016x}",
        label=label,
        load=lambda: np.zeros((4, 4), np.float32),
        patient=patient,
        attributes=attributes,
    )


def cases_of(found):
    patients = {c.patient for c in found if c.patient}
    counts = Counter(c.label for c in found)
    return Cases(
        found,
        DataDescription(
            layout="toy", cases=len(found), labels=dict(counts), patients=len(patients) or None
        ),
    )


def crowd(patients, seed=0, prevalence=0.4, images=3):
    """Patients of one to `images` images; fractures are of some of their images, views mixed."""
    draw = np.random.default_rng(seed)
    found = []
    for index in range(patients):
        broken = draw.random() < prevalence
        for _ in range(draw.integers(1, images + 1)):
            label = "fracture" if broken and draw.random() < 0.8 else "normal"
            view = "lateral" if draw.random() < 0.3 else "frontal"
            found.append(case(len(found), label, f"P{index:04d}", view))
    return cases_of(found)


def parts_of(splits):
    return (splits.train, splits.val, splits.test)


def prevalence(cases):
    return sum(c.label == "fracture" for c in cases) / len(cases)


@settings(deadline=None, max_examples=40)
@given(st.integers(80, 250), st.integers(0, 50), st.floats(0.2, 0.6))
def test_every_image_is_in_one_split_and_no_patient_in_two(patients, seed, share):
    cases = crowd(patients, seed, share)
    splits = part(cases, seed=seed)
    ids = [c.id for cases in parts_of(splits) for c in cases]
    assert sorted(ids) == sorted(c.id for c in cases)
    owners = [{c.patient for c in cases} for cases in parts_of(splits)]
    assert not owners[0] & owners[1]
    assert not owners[0] & owners[2]
    assert not owners[1] & owners[2]


@pytest.mark.parametrize("seed", range(4))
def test_shares_prevalence_and_views_are_those_of_the_whole(seed):
    cases = crowd(900, seed)
    splits = part(cases, shares=(6, 2, 2), seed=seed)
    lateral = sum(c.attributes["view"] == "lateral" for c in cases) / len(cases)
    for found, share in zip(parts_of(splits), (0.6, 0.2, 0.2), strict=True):
        assert len(found) / len(cases) == pytest.approx(share, abs=0.01)
        assert prevalence(found) == pytest.approx(prevalence(cases), abs=0.03)
        views = sum(c.attributes["view"] == "lateral" for c in found) / len(found)
        assert views == pytest.approx(lateral, abs=0.04)


def test_drawn_splits_are_as_even_as_those_of_scikit_learn():
    from sklearn.model_selection import StratifiedGroupKFold

    cases = crowd(400, 5)
    labels = np.array([c.label == "fracture" for c in cases])
    groups = [c.patient for c in cases]
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(labels, labels, groups)
    theirs = max(abs(labels[test].mean() - labels.mean()) for _, test in folds)
    ours = abs(prevalence(part(cases, shares=(6, 2, 2)).test) - labels.mean())
    assert ours <= max(theirs, 0.01)


def test_the_draw_depends_on_the_seed_and_not_on_the_order():
    cases = crowd(120, 1)
    mixed = Cases(list(cases)[::-1], cases.description)
    ids = [c.id for c in part(cases, seed=1).test]
    assert ids == [c.id for c in part(mixed, seed=1).test]
    assert ids != [c.id for c in part(cases, seed=2).test]


def test_identical_images_of_two_patients_are_drawn_to_one_side():
    digests = [f"{n:016x}" for n in range(60)]
    found = [case(n, "fracture" if n % 2 else "normal", f"P{n}") for n in range(60)]
    found += [
        case(0, "fracture" if n % 2 else "normal", f"Q{n}", digest=f"{digest}-2")
        for n, digest in enumerate(digests)
    ]
    splits = part(cases_of(found))
    sides = [{c.id[:16] for c in cases} for cases in parts_of(splits)]
    assert sum(map(len, sides)) == 60


def declared(**counts):
    found = []
    for word, count in counts.items():
        for index in range(count):
            label = "fracture" if index % 3 == 0 else "normal"
            found.append(case(len(found), label, f"P{word}{index // 2}", split=word))
    return cases_of(found)


def test_declared_splits_are_kept_and_the_attribute_is_gone():
    cases = declared(train=30, val=10, test=12)
    splits = part(cases)
    said = {c.id: c.attributes["split"] for c in cases}
    for word, found in zip(WORDS, parts_of(splits), strict=True):
        assert {said[c.id] for c in found} == {word}
        assert len(found) == sum(value == word for value in said.values())
        assert "split" not in found.attributes


def test_of_train_and_val_the_given_val_is_tested_and_another_is_taken_from_train():
    cases = declared(training=60, valid=20)
    splits = part(cases, shares=(8, 2, 1))
    said = {c.id: c.attributes["split"] for c in cases}
    assert {said[c.id] for c in splits.test} == {"valid"}
    assert {said[c.id] for c in [*splits.train, *splits.val]} == {"training"}
    assert len(splits.val) == pytest.approx(12, abs=2)
    assert not {c.patient for c in splits.train} & {c.patient for c in splits.val}
    assert [note.code for note in splits.notes] == ["val-carved"]


@pytest.mark.parametrize("cases", [declared(train=40, val=20), crowd(60, 2)])
def test_as_published_reports_on_the_images_that_chose_and_says_optimistic(cases):
    splits = part(cases, as_published=True)
    assert [c.id for c in splits.test] == [c.id for c in splits.val]
    assert len(splits.train) + len(splits.val) == len(cases)
    assert any(n.level == "warning" and "Optimistic" in n.text for n in splits.notes)


def test_a_patient_or_an_image_in_two_declared_splits_is_refused_with_counts():
    found = list(declared(train=30, val=10, test=12))
    torn = [*found, case(900, "normal", "Ptrain0", split="test")]
    twin = case(0, "normal", "Pother", split="val", digest=f"{found[0].id}-2")
    with pytest.raises(HipauditError, match=r"1 patients and 0 images shared by train and test"):
        part(cases_of(torn))
    with pytest.raises(HipauditError, match=r"0 patients and 1 images .* train and val.*drop"):
        part(cases_of([*found, twin]))


def test_dropping_an_overlap_leaves_the_shared_training_images_out_only():
    found = list(declared(train=30, val=10, test=12))
    torn = [*found, case(900, "normal", "Ptrain0", split="test")]
    splits = part(cases_of(torn), overlap="drop")
    assert len(splits.train) == 28
    assert (len(splits.val), len(splits.test)) == (10, 13)
    assert "2 images were left out" in splits.notes[0].text


def one_class():
    return cases_of(
        [c for c in declared(train=30, val=9, test=9)
         if c.label == "normal" or c.attributes["split"] != "val"]
    )  # fmt: skip


def new_label():
    extra = [case(700 + n, "tumour", f"T{n}", split="test") for n in range(3)]
    return cases_of([*declared(train=30, val=9, test=9), *extra])


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        (one_class(), r'two classes in the val split.*found only "normal"'),
        (new_label(), r'every class among the training images.*"tumour"'),
        (declared(val=9, test=9), "training data"),
        (declared(train=9, fold7=9), r'train, val or test .*"fold7"'),
        (crowd(2, 1), "enough patients"),
        (cases_of([*declared(train=9, val=9), case(800, "normal")]), "found none"),
    ],
)
def test_splits_that_cannot_be_used_are_refused_in_one_line(cases, said):
    with pytest.raises(HipauditError, match=said) as caught:
        part(cases)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shares", [(1, 0, 1), (1, 1), (1, -1, 2), (float("inf"), 1, 1)])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(HipauditError, match="three positive shares"):
        part(crowd(50), shares=shares)


def test_counts_are_those_of_the_images():
    cases = crowd(200, 3)
    splits = part(cases)
    for count, found in zip(splits.counts("fracture"), parts_of(splits), strict=True):
        assert count.images == len(found)
        assert count.patients == len({c.patient for c in found})
        assert count.prevalence == pytest.approx(prevalence(found))
        assert count.views == dict(Counter(c.attributes["view"] for c in found))
        assert sum(count.labels.values()) == len(found)
    with pytest.raises(HipauditError, match="positive class among fracture, normal"):
        splits.counts("broken")


def draw_files(root, names):
    draw = np.random.default_rng(list(root.name.encode()))
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (12, 10), np.uint8)).save(root / name)


def folders(root):
    draw_files(
        root,
        [f"{s}/{c}/{n}.png" for s in WORDS for c in ("fracture", "normal") for n in range(3)],
    )
    return root


def tables(root):
    """As phantoms are written: a folder per split with a table of its own."""
    for word in WORDS:
        names = [f"{n}.png" for n in range(6)]
        draw_files(root / word, names)
        rows = [
            f"{name},{'fracture' if n % 2 else 'normal'},{word}{n},{word},frontal"
            for n, name in enumerate(names)
        ]
        text = "\n".join(["path,label,patient_id,split,view", *rows])
        (root / word / "labels.csv").write_text(text)
    return root


def manifest(root):
    names = [f"{n}.png" for n in range(18)]
    draw_files(root, names)
    rows = [
        f"{name},{'fracture' if n % 2 else 'normal'},{n},{WORDS[n // 6]}"
        for n, name in enumerate(names)
    ]
    (root / "manifest.csv").write_text("\n".join(["path,label,patient_id,split", *rows]))
    return root


@pytest.mark.parametrize("layout", [folders, tables, manifest])
def test_one_reading_gives_the_splits_that_three_readings_give(layout, tmp_path):
    root = layout(tmp_path)
    splits = read_splits(root, DataOptions())
    for word, found in zip(WORDS, parts_of(splits), strict=True):
        alone = read_cases(root, DataOptions(split=word))
        assert [c.id for c in found] == [c.id for c in alone]
        assert [c.label for c in found] == [c.label for c in alone]
        assert found.attributes == alone.attributes
        assert found.description.labels == alone.description.labels
        assert found.description.sha256 == alone.description.sha256
        assert found.description.patients == alone.description.patients
        assert private_csv(found) == private_csv(alone)


def test_a_damaged_image_is_named_by_its_split_and_row(tmp_path):
    root = tables(tmp_path)
    (root / "val" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    splits = read_splits(root)
    assert [s.case for s in splits.train.description.skipped] == ["val row 5"]
    assert len(splits.val) == 5


def test_reading_one_split_is_as_it_was_and_knows_no_split_attribute(tmp_path):
    found = read_cases(tables(tmp_path), DataOptions(split="val"))
    assert found.attributes == ("view",)
    assert len(found) == 6


def test_without_patients_a_note_says_that_images_were_drawn():
    alone = [
        case(n, "fracture" if n % 3 == 0 else "normal", split="train" if n < 40 else "val")
        for n in range(60)
    ]
    assert "out of train by image, no patient being known" in part(cases_of(alone)).notes[0].text
    undeclared = [case(n, "fracture" if n % 3 == 0 else "normal") for n in range(60)]
    assert "by image, no patient being known" in part(cases_of(undeclared)).notes[0].text

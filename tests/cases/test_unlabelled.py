"""Reading images that need no label: nothing is left out, and no folder's name leaks as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.errors import HipauditError

FREE = DataOptions(need_labels=False, folder_labels=("fracture", "normal", "nofracture"))


def write(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 7)).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_loose_images_and_those_of_every_subfolder_are_all_read(tmp_path):
    for at, name in enumerate(("a.png", "old/b.png", "old/deep/c.png")):
        write(tmp_path / name, at)
    cases = read_cases(tmp_path, FREE)
    assert len(cases) == 3
    assert {case.label for case in cases} == {""}


def test_folders_named_after_people_are_no_labels_and_appear_nowhere(tmp_path):
    for at, person in enumerate(("jansen", "de_vries")):
        write(tmp_path / person / "x.png", at)
    cases = read_cases(tmp_path, FREE)
    assert [case.label for case in cases] == ["", ""]
    told = cases.description.model_dump_json()
    assert "jansen" not in told
    assert "vries" not in told


def test_folders_named_by_a_known_label_are_labels_at_any_depth(tmp_path):
    names = ("fracture/x.png", "jansen/No_Fracture/x.png", "normal/sub/x.png", "other/x.png")
    for at, name in enumerate(names):
        write(tmp_path / name, at)
    cases = read_cases(tmp_path, FREE)
    assert sorted(case.label for case in cases) == ["", "No_Fracture", "fracture", "normal"]
    (note,) = [n for n in cases.description.notes if n.code == "unlabelled"]
    assert note.text.startswith("1 of 4 images")


def test_a_table_without_a_label_column_is_read_and_with_it_stays_the_labels(tmp_path):
    write(tmp_path / "images" / "a.png", 1)
    write(tmp_path / "images" / "b.png", 2)
    table = tmp_path / "manifest.csv"
    table.write_text("path,view,patient_id\nimages/a.png,AP,1\nimages/b.png,LL,1\n")
    cases = read_cases(tmp_path, FREE)
    assert {(c.label, c.attributes["view"]) for c in cases} == {("", "frontal"), ("", "lateral")}
    assert {case.patient for case in cases} == {"P0001"}
    table.write_text("path,label\nimages/a.png,fracture\nimages/b.png,\n")
    assert sorted(case.label for case in read_cases(tmp_path, FREE)) == ["", "fracture"]


def test_split_folders_are_kept_as_splits_and_their_tables_are_used(tmp_path):
    for at, split in enumerate(("train", "val")):
        write(tmp_path / split / "x.png", at)
        (tmp_path / split / "labels.csv").write_text("path,label\nx.png,normal\n")
    cases = read_cases(tmp_path, DataOptions(need_labels=False, every_split=True))
    assert sorted(case.attributes["split"] for case in cases) == ["train", "val"]
    for split in ("train", "val"):
        (tmp_path / split / "labels.csv").unlink()
    cases = read_cases(tmp_path, DataOptions(need_labels=False, every_split=True))
    assert sorted(case.attributes["split"] for case in cases) == ["train", "val"]


def test_an_audit_still_needs_labels(tmp_path):
    for at, name in enumerate(("a/x.png", "a/y.png")):
        write(tmp_path / name, at)
    with pytest.raises(HipauditError, match="two or more classes"):
        read_cases(tmp_path, DataOptions(folder_labels=("a",)))


def test_a_folder_without_an_image_is_one_line(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(HipauditError, match="without images and 1 other files"):
        read_cases(tmp_path, FREE)


def test_a_table_may_say_that_text_is_burned_in(tmp_path):
    for at, name in enumerate("abc"):
        write(tmp_path / f"{name}.png", at)
    rows = "path,label,burned_in\na.png,x,yes\nb.png,y,no\nc.png,y,\n"
    (tmp_path / "manifest.csv").write_text(rows)
    cases = read_cases(tmp_path)
    said = {case.label: [] for case in cases}
    for case in cases:
        said[case.label].append(case.burned_in)
    assert said["x"] == [True]
    assert sorted(said["y"], key=str) == [False, None]
    assert "burned_in" not in cases.attributes
    assert cases.description.burned_in == 1

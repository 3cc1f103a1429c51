"""Manifests: columns, paths, splits and the line numbers of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.cases.options import DataOptions
from audit.cases.private import private_csv
from audit.cases.read import read_cases
from audit.errors import HipauditError
from tests.cases.test_folders import draw, notes

GOOD = ["a.png,fracture", "b.png,normal", "c.png,normal"]


def manifest(root: Path, rows: list[str], header: str = "path,label") -> Path:
    for number, name in enumerate(("a.png", "b.png", "c.png", "sub/d.png")):
        draw(root / name, number)
    path = root / "list.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def test_a_manifest_file_is_read_relative_to_itself(tmp_path: Path) -> None:
    cases = read_cases(manifest(tmp_path, [*GOOD, "sub\\d.png,fracture"]))
    assert cases.description.labels == {"fracture": 2, "normal": 2}
    assert cases.description.layout == "CSV manifest, keyed by path"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_write_is_read(tmp_path: Path, encoding: str, separator: str) -> None:
    path = manifest(tmp_path, [])
    rows = ["Path,Label,Ziekenhuis", "a.png,gebroken,Zürich", "b.png,normaal,Zürich"]
    path.write_bytes("\r\n".join(r.replace(",", separator) for r in rows).encode(encoding))
    cases = read_cases(path)
    assert cases.labels == ("gebroken", "normaal")
    assert cases.description.attributes["ziekenhuis"] == {"Zürich": 2}


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (GOOD, "path,diagnosis", 'a column "label"'),
        (GOOD, "bestand,label", 'a column "path"'),
        ([*GOOD, "a.png,normal"], "path,label", "more than once \\(lines 2, 5\\)"),
        ([*GOOD, "./a.png,normal"], "path,label", "lines 2, 5"),
        (["a.png,fracture", "b.png,", "c.png,normal"], "path,label", "no label \\(line 3\\)"),
        (["a.png,fracture", "b.png,normal,x"], "path,label", "2 cells in line 3"),
        ([], "path,label", "no row"),
        (GOOD, "path,path", '"path" more than once'),
        (["a.png,normal", "b.png,normal"], "path,label", "only one"),
        (["a.png,Normal", "b.png,normal"], "path,label", "one spelling per class"),
        (["a.png," + "x" * 80, "b.png,normal"], "path,label", "a column of class names"),
        (['a.png,"fracture', "b.png,normal"], "path,label", "a CSV table"),
        (["a.png,fracture,1 2 3", "b.png,normal,"], "path,label,boxes", "boxes .* in line 2"),
        (["a.png,fracture,9 9 1 1", "b.png,normal,"], "path,label,boxes", "boxes .* in line 2"),
        (["x.png,fracture", "y.png,normal"], "path,label", "2 x no such file"),
    ],
)
def test_a_wrong_manifest_is_one_line_with_the_place(
    tmp_path: Path, rows: list[str], header: str, message: str
) -> None:
    with pytest.raises(HipauditError, match=message) as caught:
        read_cases(manifest(tmp_path, rows, header))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_another_label_column_can_be_named(tmp_path: Path) -> None:
    path = manifest(tmp_path, GOOD, "path,Diagnosis")
    assert read_cases(path, DataOptions(label_column="diagnosis")).labels == ("fracture", "normal")
    with pytest.raises(HipauditError, match='Did you mean "diagnosis"'):
        read_cases(path, DataOptions(label_column="diagnose"))


def test_paths_that_leave_the_folder_are_refused_row_by_row(tmp_path: Path) -> None:
    outside = draw(tmp_path / "outside.png", 50)
    root = tmp_path / "data"
    path = manifest(
        root,
        [*GOOD, f"{outside},normal", "../outside.png,normal", "link.png,normal", "no.png,normal"],
    )
    (root / "link.png").symlink_to(outside)
    cases = read_cases(path, DataOptions(max_skipped=1))
    assert [(s.case, s.reason) for s in cases.description.skipped] == [
        ("row 5", "absolute path refused"),
        ("row 6", "path with .. refused"),
        ("row 7", "link that leads outside the folder refused"),
        ("row 8", "no such file"),
    ]
    assert notes(cases)["skipped"] == "4 of 7 images could not be used (57.1%)."


def test_too_many_unreadable_images_are_a_fault(tmp_path: Path) -> None:
    path = manifest(tmp_path, GOOD)
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n not really")
    cases = read_cases(path)
    (fault,) = [note for note in cases.description.notes if note.level == "fault"]
    assert fault.code == "coverage"
    assert "1 of 3" in fault.text


def test_the_split_column_prefers_val_and_never_train(tmp_path: Path) -> None:
    rows = ["a.png,fracture,val", "b.png,normal,val", "c.png,normal,train"]
    path = manifest(tmp_path, rows, "path,label,split")
    cases = read_cases(path)
    assert len(cases) == 2
    assert notes(cases)["split"] == 'Read the split "val" (by its name); others not read: "train".'
    with pytest.raises(HipauditError, match='a split of the data, but found "vall"'):
        read_cases(path, DataOptions(split="vall"))


def test_only_training_rows_must_be_asked_for(tmp_path: Path) -> None:
    rows = ["a.png,fracture,train", "b.png,normal,train"]
    path = manifest(tmp_path, rows, "path,label,split")
    with pytest.raises(HipauditError, match="--split"):
        read_cases(path)
    cases = read_cases(path, DataOptions(split="train"))
    assert "not tested by what it was fitted on" in notes(cases)["split"]


def test_patients_are_numbered_by_their_smallest_case(tmp_path: Path) -> None:
    rows = ["a.png,fracture,Jansen", "b.png,normal,Jansen", "c.png,normal,de Vries"]
    cases = read_cases(manifest(tmp_path, rows, "path,label,PatientID"))
    assert cases[0].patient == "P0001"
    assert sorted(str(case.patient) for case in cases) in (
        ["P0001", "P0001", "P0002"],
        ["P0001", "P0002", "P0002"],
    )
    assert cases.description.patients == 2
    assert "patient_id" not in cases.description.attributes


def test_another_column_can_cluster(tmp_path: Path) -> None:
    rows = ["a.png,fracture,s1", "b.png,normal,s1", "c.png,normal,s2"]
    path = manifest(tmp_path, rows, "path,label,study_id")
    assert read_cases(path, DataOptions(cluster_by="study_id")).description.patients == 2
    assert read_cases(path).description.patients is None
    assert read_cases(path, DataOptions(cluster_by=None)).description.patients is None
    with pytest.raises(HipauditError, match="cluster by"):
        read_cases(path, DataOptions(cluster_by="family"))


def test_an_image_without_patient_counts_alone_and_placeholders_are_nobody(tmp_path: Path) -> None:
    rows = ["a.png,fracture,p", "b.png,normal,p", "c.png,normal,ANONYMOUS"]
    cases = read_cases(manifest(tmp_path, rows, "path,label,patient_id"))
    assert cases.description.patients == 2
    assert "1 images have no patient id" in notes(cases)["patients-missing"]


def test_boxes_are_read_in_pixels(tmp_path: Path) -> None:
    rows = ["a.png,fracture,1 2 3.5 4;0 0 1 1", "b.png,normal,", "c.png,normal,"]
    cases = read_cases(manifest(tmp_path, rows, "path,label,boxes"))
    assert {case.boxes for case in cases} == {((1, 2, 3.5, 4), (0, 0, 1, 1)), ()}


def test_the_private_table_resolves_cases_and_skipped_rows(tmp_path: Path) -> None:
    path = manifest(tmp_path, [*GOOD, "gone.png,normal"])
    cases = read_cases(path, DataOptions(max_skipped=1))
    lines = private_csv(cases).splitlines()
    assert lines[0] == "case,path"
    assert "row 5,gone.png" in lines
    by_id = dict(line.split(",", 1) for line in lines[1:])
    for case in cases:
        assert Path(by_id[case.id]).is_file()


def test_nothing_but_the_private_table_knows_a_path_or_patient(tmp_path: Path) -> None:
    header = "path,label,patient_id,patient_name,study_uid,birth_date,opname,view"
    rows = [
        "a.png,fracture,BSN123,Piet Jansen,1.2.840.1.2.3,1940-01-31,2020-02-03,AP",
        "b.png,normal,BSN124,Jan Pietersen,1.2.840.1.2.4,1950-01-31,2020-02-04,LL",
    ]
    cases = read_cases(manifest(tmp_path, rows, header))
    shown = repr(cases) + repr(list(cases)) + cases.description.model_dump_json()
    for secret in (str(tmp_path), ".png", "BSN", "Jansen", "Pieter", "1.2.840", "1940", "2020"):
        assert secret not in shown
    assert cases.description.attributes == {"view": {"frontal": 1, "lateral": 1}}


def test_a_workbook_named_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 200)
    with pytest.raises(HipauditError, match="binary content"):
        read_cases(path)

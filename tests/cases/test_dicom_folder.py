"""A folder of DICOM files: labels by path or UID, attributes from the allow-list, no names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest

from audit.cases.case import Cases
from audit.cases.options import DataOptions
from audit.cases.private import private_csv
from audit.cases.read import read_cases
from tests.cases.dicoms import dataset, grid, write
from tests.cases.test_folders import notes

PERSON = {
    "PatientName": "Jansen^Piet",
    "PatientID": "BSN123456",
    "PatientBirthDate": "19310203",
    "StudyDate": "20240506",
    "AccessionNumber": "ACC777",
    "InstitutionName": "St. Elsewhere",
    "StudyInstanceUID": "1.2.840.99.1",
    "PatientSex": "F",
    "Manufacturer": "Maker",
    "ManufacturerModelName": "Model 3",
    "ViewPosition": "AP",
    "ImageLaterality": "L",
    "BurnedInAnnotation": "NO",
}


def folder(root: Path, *tags: dict[str, Any], keyed: str = "path") -> Path:
    """One DICOM per mapping of tags, labels alternating, and a labels.csv."""
    rows = [f"{keyed},label"]
    for number, extra in enumerate(tags):
        header = dataset(grid(seed=number), **extra)
        write(root / f"pat{number}" / f"img{number}.dcm", header)
        key = header.SOPInstanceUID if keyed != "path" else f"pat{number}/img{number}.dcm"
        rows.append(f"{key},{('fracture', 'normal')[number % 2]}")
    (root / "labels.csv").write_text("\n".join(rows))
    return root


@pytest.mark.parametrize("keyed", ["path", "SOPInstanceUID"])
def test_labels_are_found_by_path_or_uid(tmp_path: Path, keyed: str) -> None:
    cases = read_cases(folder(tmp_path, PERSON, PERSON, {}, {}, keyed=keyed))
    assert cases.description.labels == {"fracture": 2, "normal": 2}
    assert cases.description.layout == f"folder with labels.csv, keyed by {keyed}"


def test_labels_can_lie_elsewhere(tmp_path: Path) -> None:
    folder(tmp_path / "data", {}, {})
    elsewhere = (tmp_path / "data" / "labels.csv").rename(tmp_path / "truth.csv")
    assert len(read_cases(tmp_path / "data", DataOptions(labels=elsewhere))) == 2


def test_a_uid_without_file_is_a_skipped_row(tmp_path: Path) -> None:
    root = folder(tmp_path, {}, {}, keyed="SOPInstanceUID")
    with (root / "labels.csv").open("a") as stream:
        stream.write("\n1.2.3.4,normal")
    (skipped,) = read_cases(root).description.skipped
    assert (skipped.case, skipped.reason) == ("row 4", "no file with this SOPInstanceUID")


def test_only_allowed_tags_leave_the_reader(tmp_path: Path) -> None:
    cases = read_cases(folder(tmp_path, PERSON, {**PERSON, "ViewPosition": "LL"}))
    assert cases[0].attributes.keys() == {
        *("age_band", "laterality", "scanner", "sex", "vendor", "view")
    }
    assert cases.description.attributes == {
        "age_band": {"90+": 2},
        "laterality": {"L": 2},
        "scanner": {"Model 3": 2},
        "sex": {"F": 2},
        "vendor": {"Maker": 2},
        "view": {"frontal": 1, "lateral": 1},
    }
    shown = repr(list(cases)) + cases.description.model_dump_json()
    secrets = ("Jansen", "BSN", "1931", "20240506", "ACC", "Elsewhere", "1.2.840", "pat0")
    assert [word for word in secrets if word in shown] == []
    assert {case.patient for case in cases} == {"P0001"}


def test_dates_leave_as_a_range_of_years(tmp_path: Path) -> None:
    cases = read_cases(folder(tmp_path, {"StudyDate": "20190801"}, {"StudyDate": "20240506"}))
    assert notes(cases)["years"] == "Images are dated 2019 to 2024."


def test_contradicting_views_are_unknown_and_listed(tmp_path: Path) -> None:
    torn = {"ViewPosition": "AP", "PatientOrientation": ["P", "F"]}
    cases = read_cases(folder(tmp_path, torn, {"ViewPosition": "AP"}))
    (unknown,) = [case for case in cases if case.attributes["view"] == "unknown"]
    assert unknown.id in notes(cases)["view-conflict"]


def test_the_table_wins_over_the_header_and_the_difference_is_counted(tmp_path: Path) -> None:
    root = folder(tmp_path, {"ViewPosition": "AP"}, {"ViewPosition": "AP"})
    (root / "labels.csv").write_text(
        "path,label,view\npat0/img0.dcm,fracture,lateral\npat1/img1.dcm,normal,\n"
    )
    cases = read_cases(root)
    assert cases.description.attributes["view"] == {"frontal": 1, "lateral": 1}
    assert notes(cases)["view-differs"].startswith("1 views")


@pytest.mark.parametrize(
    ("said", "strict", "expected"),
    [
        ("YES", False, True),
        ("NO", False, False),
        ("NO", True, False),
        (None, False, None),
        (None, True, True),
    ],
)
def test_burned_in_text_is_known_unknown_or_assumed(
    tmp_path: Path, said: str | None, strict: bool, expected: bool | None
) -> None:
    tags = {} if said is None else {"BurnedInAnnotation": said}
    cases = read_cases(folder(tmp_path, tags, tags), DataOptions(strict_burned_in=strict))
    assert [case.burned_in for case in cases] == [expected, expected]
    assert cases.description.burned_in == (2 if expected else 0)


def test_synthetic_data_that_says_so_is_described_as_synthetic(tmp_path: Path) -> None:
    assert read_cases(folder(tmp_path / "a", *[{"SyntheticData": "YES"}] * 2)).description.synthetic
    mixed = folder(tmp_path / "b", {"SyntheticData": "YES"}, {})
    assert not read_cases(mixed).description.synthetic


def test_the_window_and_polarity_are_recorded(tmp_path: Path) -> None:
    window = {"WindowCenter": "9", "WindowWidth": "5", "PhotometricInterpretation": "MONOCHROME1"}
    found = notes(read_cases(folder(tmp_path, window, {})))
    assert "the image's own window (1)" in found["window"]
    assert "minimum to maximum (no window given) (1)" in found["window"]
    assert found["polarity"] == "Polarity: as stored (1), inverted (1)."


def test_hostile_words_in_a_header_are_tamed(tmp_path: Path) -> None:
    tags = {"Manufacturer": "<script>alert(1)</script>" + "x" * 39}
    (vendor,) = read_cases(folder(tmp_path, tags, tags)).description.attributes["vendor"]
    assert len(vendor) <= 40
    assert not set(vendor) & set("<>\"'&")


def _ids(cases: Cases) -> list[tuple[str, str, str | None]]:
    return [(case.id, case.label, case.patient) for case in cases]


def test_ids_do_not_depend_on_file_names_order_or_workers(tmp_path: Path) -> None:
    tags = [{"PatientID": name} for name in ("a", "b", "a", "c")]
    first = read_cases(folder(tmp_path / "a", *tags))
    other = tmp_path / "b"
    rows = ["path,label"]
    for number in (2, 0, 3, 1):
        header = pydicom.dcmread(tmp_path / "a" / f"pat{number}" / f"img{number}.dcm")
        write(other / f"x{9 - number}.dcm", header)
        rows.append(f"x{9 - number}.dcm,{('fracture', 'normal')[number % 2]}")
    (other / "labels.csv").write_text("\n".join(rows))
    second = read_cases(other, DataOptions(workers=2))
    assert _ids(first) == _ids(second)
    assert first.description.sha256 == second.description.sha256
    assert private_csv(first) != private_csv(second)

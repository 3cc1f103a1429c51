"""Folder layouts: how a folder of radiographs is understood."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.cases.options import DataOptions
from audit.cases.private import private_csv
from audit.cases.read import read_cases
from audit.errors import HipauditError


def draw(path: Path, seed: int) -> Path:
    """A PNG of noise; every seed its own pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (6, 5), dtype=np.uint8)
    Image.fromarray(values).save(path)
    return path


def class_folders(root: Path, each: int = 2) -> Path:
    for number, label in enumerate(("fracture", "normal")):
        for index in range(each):
            draw(root / label / f"{index}.png", number * 100 + index)
    return root


def notes(cases: object) -> dict[str, str]:
    return {note.code: note.text for note in cases.description.notes}  # type: ignore[attr-defined]


def test_class_folders_give_the_folder_name_as_label(tmp_path: Path) -> None:
    cases = read_cases(class_folders(tmp_path))
    assert cases.description.labels == {"fracture": 2, "normal": 2}
    assert notes(cases)["layout"] == "Read as class folders."


def test_a_folder_with_train_and_val_reads_val_and_says_so(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", each=3)
    class_folders(tmp_path / "val", each=1)
    cases = read_cases(tmp_path)
    assert len(cases) == 2
    assert 'split "val"' in notes(cases)["split"]


def test_training_folders_alone_are_never_read_silently(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    with pytest.raises(HipauditError, match=r"--split \"train\""):
        read_cases(tmp_path)
    assert len(read_cases(tmp_path, DataOptions(split="train"))) == 4


def test_a_table_beside_class_folders_adds_the_view(tmp_path: Path) -> None:
    class_folders(tmp_path)
    rows = ["path,view"]
    rows += [
        f"{label}/{i}.png,{'AP' if i else 'LL'}" for label in ("fracture", "normal") for i in (0, 1)
    ]
    (tmp_path / "attributes.csv").write_text("\n".join(rows))
    assert read_cases(tmp_path).description.attributes == {"view": {"frontal": 2, "lateral": 2}}


def test_a_manifest_above_a_split_folder_adds_its_columns(tmp_path: Path) -> None:
    class_folders(tmp_path / "val", each=1)
    (tmp_path / "manifest.csv").write_text(
        "path,label,view,patient_id\nval/fracture/0.png,fracture,PA,a\nval/normal/0.png,normal,PA,a\n"
    )
    cases = read_cases(tmp_path / "val")
    assert [case.patient for case in cases] == ["P0001", "P0001"]
    assert cases.description.attributes == {"view": {"frontal": 2}}


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([], "an empty folder"),
        (["notes.txt", "a/b.docx"], "2 other files"),
        (["jansen_piet.png"], "1 images"),
        (["other.csv"], "1 tables"),
    ],
)
def test_a_folder_of_something_else_is_refused_with_counts_and_no_names(
    tmp_path: Path, files: list[str], found: str
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with pytest.raises(HipauditError) as caught:
        read_cases(tmp_path)
    assert found in str(caught.value)
    assert "class folders" in str(caught.value)
    assert "jansen" not in str(caught.value)


def test_a_mistyped_path_is_one_line_naming_the_layouts(tmp_path: Path) -> None:
    with pytest.raises(HipauditError, match="no file or folder named vall") as caught:
        read_cases(tmp_path / "vall")
    assert "\n" not in str(caught.value)
    assert "manifest" in str(caught.value)


def test_one_class_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "normal" / "a.png", 1)
    with pytest.raises(HipauditError, match="only one"):
        read_cases(tmp_path)


def test_a_positive_class_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    class_folders(tmp_path)
    with pytest.raises(HipauditError, match='Did you mean "fracture"'):
        read_cases(tmp_path, DataOptions(positive_class="fractured"))


def test_many_folders_are_no_classes(tmp_path: Path) -> None:
    for number in range(25):
        draw(tmp_path / f"patient{number}" / "a.png", number)
    with pytest.raises(HipauditError, match="25 folders with images"):
        read_cases(tmp_path)


def test_files_that_are_no_images_are_counted_not_read(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "normal" / "readme.txt").write_text("x")
    (tmp_path / "normal" / ".hidden.png").write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    cases = read_cases(tmp_path)
    assert len(cases) == 4
    assert notes(cases)["other-files"].startswith("1 files")


def test_images_without_a_row_are_counted(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "labels.csv").write_text("path,label\nfracture/0.png,a\nnormal/0.png,b\n")
    cases = read_cases(tmp_path)
    assert cases.labels == ("a", "b")
    assert notes(cases)["without-row"].startswith("2 images")


def test_a_split_folder_may_hold_a_manifest_of_its_own(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "test")
    (tmp_path / "test" / "manifest.csv").write_text(
        "path,label\nfracture/0.png,a\nnormal/0.png,b\nnormal/1.png,b\nfracture/1.png,a\n"
    )
    cases = read_cases(tmp_path)
    assert cases.labels == ("a", "b")
    assert 'split "test"' in notes(cases)["split"]


def test_a_folder_that_may_not_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_folders(tmp_path)

    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(HipauditError, match="Permission denied") as caught:
        read_cases(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_images_that_use_a_corner_of_the_scale_are_named(tmp_path: Path) -> None:
    class_folders(tmp_path)
    twelve = np.full((6, 5), 4095, dtype=np.uint16)
    Image.fromarray(twelve).save(tmp_path / "normal" / "dark.png")
    assert notes(read_cases(tmp_path))["dim"].startswith("1 images")


def test_split_folders_with_tables_inside_are_read_as_asked(tmp_path: Path) -> None:
    for split in ("train", "test"):
        folder = class_folders(tmp_path / split)
        rows = [
            f"{file.relative_to(folder)},{file.parent.name},{split}"
            for file in folder.rglob("*.png")
        ]
        (folder / "labels.csv").write_text("\n".join(["path,label,split", *rows]))
    for wanted in ("train", "test"):
        cases = read_cases(tmp_path, DataOptions(split=wanted))
        assert f'split "{wanted}"' in notes(cases)["split"]
        assert len(read_cases(tmp_path / wanted, DataOptions(split=wanted))) == 4


def test_names_that_are_no_text_can_still_be_written(tmp_path: Path) -> None:
    odd = os.fsdecode(b"h\xfcft")
    try:
        draw(tmp_path / odd / f"{odd}.png", 1)
    except OSError:
        pytest.skip("this file system takes text only")
    draw(tmp_path / "normal" / "a.png", 2)
    cases = read_cases(tmp_path)
    assert cases.labels == ("h\\xfcft", "normal")
    assert (private_csv(cases) + cases.description.model_dump_json()).encode()


def test_a_folder_behind_a_link_is_read_like_itself(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "real")
    rows = [f"{file.relative_to(folder)},{file.parent.name}" for file in folder.rglob("*.png")]
    (folder / "labels.csv").write_text("\n".join(["path,label", *rows]))
    (tmp_path / "link").symlink_to(folder)
    found = read_cases(tmp_path / "link")
    assert found.description == read_cases(folder).description
    assert "without-row" not in notes(found)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(HipauditError):
        read_cases(tmp_path / "loop")

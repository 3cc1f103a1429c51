"""Conversion keeps pixels and what an audit needs, and nothing that names a person."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from audit.cases.image import decode_image
from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from audit.errors import HipauditError
from tests.canaries import WORD, found_in, write_dicom_site, write_manifest_site
from tests.cases.dicoms import dataset, grid, write
from trainers.convert import convert as module
from trainers.convert.convert import Converted, convert
from trainers.convert.options import ConvertOptions
from trainers.convert.picture import as_png, shrunk
from trainers.progress import Quiet

SHARED = Path(os.environ.get("HIPAUDIT_SHARED", Path(__file__).parents[3] / "shared"))
DICOM = SHARED / "data" / "dicom"


def converted(source: Path, out: Path, reading: Any = None, **options: Any) -> Converted:
    reading = reading or DataOptions(max_skipped=0.5)
    return convert(source, out, reading, ConvertOptions(**options), Quiet())


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "manifest.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def table(folder: Path, rows: list[str], header: str = "path,label") -> None:
    (folder / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")


def grey(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


@pytest.fixture
def eight(tmp_path) -> Path:
    """Four 8-bit PNG of two classes and two patients, with view and box."""
    source = tmp_path / "source"
    rng = np.random.default_rng(3)
    rows = []
    for at in range(4):
        grey(source / f"{at}.png", rng.integers(0, 256, (24, 30)).astype(np.uint8))
        label = "fracture" if at % 2 else "normal"
        rows.append(f"{at}.png,{label},person {at // 2},AP,9{at},6 4 18 20")
    table(source, rows, "path,label,patient_id,view,age,boxes")
    return source


def test_eight_bit_images_keep_pixels_ids_labels_patients_and_attributes(eight, tmp_path):
    out = tmp_path / "out"
    done = converted(eight, out)
    assert (done.written, done.exact, done.patients) == (4, 4, 2)
    before, after = read_cases(eight), read_cases(out)
    assert [case.id for case in after] == [case.id for case in before]
    assert [case.label for case in after] == [case.label for case in before]
    assert [case.patient for case in after] == [case.patient for case in before]
    assert [case.boxes for case in after] == [case.boxes for case in before]
    assert [case.attributes for case in after] == [case.attributes for case in before]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a.load(), b.load())


def test_sixteen_bit_images_are_exact_and_at_eight_bits_within_half_a_step(tmp_path):
    source = tmp_path / "source"
    rng = np.random.default_rng(4)
    for at in range(2):
        grey(source / f"{at}.png", rng.integers(0, 65536, (16, 12)).astype(np.uint16))
    table(source, ["0.png,a", "1.png,b"])
    assert converted(source, tmp_path / "deep").exact == 2
    assert converted(source, tmp_path / "flat", bits=8).exact == 0
    for case in read_cases(source):
        flat = decode_image((tmp_path / "flat" / "images" / f"{case.id}.png").read_bytes())
        assert np.abs(flat.astype(np.float64) - case.load()).max() <= 0.5 / 255 + 1e-7


def test_a_windowed_twelve_bit_dicom_agrees_with_the_reader_within_half_a_step(tmp_path):
    source = tmp_path / "source"
    for at in range(2):
        tags = {"WindowCenter": "1800", "WindowWidth": "2500", "PatientID": f"P{at}"}
        write(source / f"{at}.dcm", dataset(grid(20, 14, seed=at), **tags))
    done = converted(source, tmp_path / "out")
    assert (done.written, done.exact) == (2, 0)
    for case in read_cases(source, DataOptions(need_labels=False)):
        png = (tmp_path / "out" / "images" / f"{case.id}.png").read_bytes()
        again = decode_image(png).astype(np.float64)
        assert np.abs(again - case.load().astype(np.float64)).max() <= 0.5 / 65535 + 1e-7
        assert len(np.unique(again)) > 150  # more than a few grey levels survived
    (note,) = [note for note in done.notes if note.code == "window"]
    assert "the image's own window (2)" in note.text


@given(st.integers(0, 2**32 - 1), st.sampled_from([255, 65535]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_grey_levels_of_the_source_s_own_depth_come_back_unchanged(seed, levels, colour):
    shape = (5, 4, 3) if colour else (5, 4)
    levels = 255 if colour else levels
    drawn = np.random.default_rng(seed).integers(0, levels + 1, shape)
    pixels = drawn.astype(np.float32) / np.float32(levels)
    np.testing.assert_array_equal(decode_image(as_png(pixels, 16)), pixels)


def test_colour_stays_colour(tmp_path):
    source = tmp_path / "source"
    rng = np.random.default_rng(5)
    grey(source / "a.png", rng.integers(0, 256, (9, 9, 3)).astype(np.uint8))
    done = converted(source, tmp_path / "out")
    assert done.exact == 1
    (case,) = read_cases(tmp_path / "out", DataOptions(need_labels=False))
    assert case.shape == (9, 9, 3)


def test_shrinking_averages_blocks_and_moves_the_boxes(eight, tmp_path):
    rng = np.random.default_rng(6)
    pixels = rng.random((24, 30)).astype(np.float32)
    small, across, down = shrunk(pixels, 12)
    blocks = pixels.reshape(12, 2, 15, 2).mean(axis=(1, 3))  # by hand: means of 2 × 2
    np.testing.assert_allclose(small, blocks, atol=1e-6)
    assert (across, down) == (0.5, 0.5)
    assert shrunk(pixels, 100) == (pixels, 1.0, 1.0)
    converted(eight, tmp_path / "out", size=12)
    assert {row["boxes"] for row in rows_of(tmp_path / "out")} == {"3 2 9 10"}
    assert {case.shape for case in read_cases(tmp_path / "out")} == {(12, 15)}


def test_a_folder_of_patients_without_labels_is_converted_and_no_name_is_kept(tmp_path):
    source = tmp_path / "scans"
    for at in range(3):
        header = dataset(grid(12, 12, seed=at), PatientID=f"{WORD}{at}", PatientSex="F")
        write(source / f"{WORD}_{at}" / "study" / f"{WORD}.dcm", header)
    out = tmp_path / "out"
    done = converted(source, out)
    assert (done.written, done.labels, done.patients) == (3, {"": 3}, 3)
    assert {row["label"] for row in rows_of(out)} == {""}
    assert {row["sex"] for row in rows_of(out)} == {"F"}
    everything = [p for p in out.rglob("*") if p.is_file() and p.parent.name != "private"]
    assert [p.name for p in everything if found_in(p.read_bytes() + str(p).encode())] == []
    with pytest.raises(HipauditError, match="a label in every row"):
        read_cases(out)


def test_folder_names_that_are_labels_may_be_named(tmp_path):
    source = tmp_path / "source"
    for at, name in enumerate(("garden1", "garden4", "jansen")):
        grey(source / name / "x.png", np.full((9, 9), 40 * at + 9, np.uint8))
    reading = DataOptions(folder_labels=("garden1", "garden4"))
    done = converted(source, tmp_path / "out", reading)
    assert done.labels == {"": 1, "garden1": 1, "garden4": 1}


@pytest.mark.parametrize("site", [write_manifest_site, write_dicom_site])
def test_of_a_site_full_of_canaries_none_leaves_but_in_the_private_table(site, tmp_path):
    source = site(tmp_path / "ward")
    out = tmp_path / "out"
    done = converted(source, out)
    assert done.skipped
    said = repr(done) + json.dumps(json.loads((out / "conversion.json").read_text()))
    assert found_in(said) == []
    files = [p for p in out.rglob("*") if p.is_file()]
    leaks = {p.name for p in files if found_in(p.read_bytes() + p.name.encode())}
    assert leaks == {"cases.csv"}
    assert {row["age_band"] for row in rows_of(out)} == {"90+"}
    private = out / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in files} == {0o600}


def test_a_png_has_no_chunk_but_header_pixels_and_end(eight, tmp_path):
    converted(eight, tmp_path / "out")
    for path in (tmp_path / "out" / "images").iterdir():
        data, place, kinds = path.read_bytes(), 8, []
        while place < len(data):
            size = int.from_bytes(data[place : place + 4], "big")
            kinds.append(data[place + 4 : place + 8])
            place += size + 12
        assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


def test_the_time_of_the_source_file_is_not_the_time_of_the_image(eight, tmp_path):
    long_ago = 990_000_000  # 2001
    for path in eight.iterdir():
        os.utime(path, (long_ago, long_ago))
    converted(eight, tmp_path / "out")
    times = [path.stat().st_mtime for path in (tmp_path / "out").rglob("*")]
    assert min(times) > long_ago + 1e7


def burned(folder: Path, *said: str | None) -> Path:
    for at, word in enumerate(said):
        tags = {} if word is None else {"BurnedInAnnotation": word}
        write(folder / f"{at}.dcm", dataset(grid(10, 10, seed=at), **tags))
    return folder


def test_text_burned_in_is_left_out_counted_and_said_by_number(tmp_path):
    source = burned(tmp_path / "s", "YES", "NO", None)
    done = converted(source, tmp_path / "out")
    assert (done.written, done.burned_in) == (2, 1)
    assert [item.reason for item in done.skipped] == ["text burned in"]
    assert sorted(row["burned_in"] for row in rows_of(tmp_path / "out")) == ["", "no"]
    assert not (tmp_path / "out" / "images" / f"{done.skipped[0].case}.png").exists()


def test_text_burned_in_may_be_kept_and_is_then_marked_for_every_later_reader(tmp_path):
    source = burned(tmp_path / "s", "YES", "NO")
    done = converted(source, tmp_path / "out", burned_in="flag")
    assert (done.written, done.burned_in) == (2, 1)
    again = read_cases(tmp_path / "out", DataOptions(need_labels=False))
    assert sorted(str(case.burned_in) for case in again) == ["False", "True"]
    assert again.description.burned_in == 1


def test_in_strict_reading_a_header_that_does_not_say_is_left_out_too(tmp_path):
    source = burned(tmp_path / "s", "NO", None)
    done = converted(source, tmp_path / "out", DataOptions(strict_burned_in=True))
    assert (done.written, done.burned_in) == (1, 1)
    with pytest.raises(HipauditError, match="text in all 1"):
        converted(burned(tmp_path / "t", "YES"), tmp_path / "none")


def test_what_cannot_be_read_is_skipped_by_number_and_too_much_of_it_is_a_fault(eight, tmp_path):
    (eight / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    done = converted(eight, tmp_path / "out", DataOptions(max_skipped=0.1))
    assert [(item.case, item.reason) for item in done.skipped] == [("row 3", "truncated PNG")]
    assert [note.code for note in done.notes if note.level == "fault"] == ["coverage"]


def test_splits_are_kept_and_read_back(eight, tmp_path):
    text = (eight / "manifest.csv").read_text().splitlines()
    parts = ("split", "train", "train", "val", "test")
    rows = [f"{row},{part}" for row, part in zip(text, parts, strict=True)]
    (eight / "manifest.csv").write_text("\n".join(rows))
    converted(eight, tmp_path / "out")
    again = read_cases(tmp_path / "out", DataOptions(every_split=True))
    assert sorted(case.attributes["split"] for case in again) == ["test", "train", "train", "val"]


def test_a_further_column_is_kept_only_when_asked_and_only_if_it_names_nobody(eight, tmp_path):
    text = (eight / "manifest.csv").read_text().splitlines()
    columns = ("hardware,name", "yes,Jansen", "no,Jansen", "no,Bos", "yes,Bos")
    rows = [f"{row},{more}" for row, more in zip(text, columns, strict=True)]
    (eight / "manifest.csv").write_text("\n".join(rows))
    converted(eight, tmp_path / "plain")
    assert "hardware" not in rows_of(tmp_path / "plain")[0]
    converted(eight, tmp_path / "kept", keep=("hardware",))
    assert sorted(row["hardware"] for row in rows_of(tmp_path / "kept")) == [
        "no",
        "no",
        "yes",
        "yes",
    ]
    with pytest.raises(HipauditError, match='"name"'):
        converted(eight, tmp_path / "named", keep=("name",))
    assert not (tmp_path / "named").exists()


def test_interrupted_it_goes_on_and_ends_with_the_same_files(eight, tmp_path, monkeypatch):
    converted(eight, tmp_path / "whole")
    done: list[Path] = []

    def stop_after_two(path: Path, content: Any, mode: int = 0o644) -> Path:
        if path.suffix == ".png" and len(done) == 2:
            raise KeyboardInterrupt
        done.append(path)
        return write_whole(path, content, mode)

    write_whole = module.write_whole
    monkeypatch.setattr(module, "write_whole", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        converted(eight, tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.csv").exists()
    monkeypatch.setattr(module, "write_whole", write_whole)
    again = converted(eight, tmp_path / "out")
    assert (again.written, again.kept) == (4, 2)
    for path in (tmp_path / "whole").rglob("*"):
        if path.is_file():
            place = tmp_path / "out" / path.relative_to(tmp_path / "whole")
            assert place.read_bytes() == path.read_bytes()


def test_an_image_cut_short_by_a_crash_is_written_again(eight, tmp_path):
    out = tmp_path / "out"
    converted(eight, out)
    first = min((out / "images").iterdir())
    whole = first.read_bytes()
    first.write_bytes(whole[:-30])
    assert converted(eight, out).kept == 3
    assert first.read_bytes() == whole


def test_a_folder_that_is_not_its_own_is_refused(eight, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    with pytest.raises(HipauditError, match="other files in full"):
        converted(eight, full)
    assert sorted(p.name for p in full.iterdir()) == ["thesis.txt"]
    out = tmp_path / "out"
    converted(eight, out)
    with pytest.raises(HipauditError, match="another conversion in out"):
        converted(eight, out, bits=8)
    (out / "images" / "stray.png").write_bytes(b"x")
    with pytest.raises(HipauditError, match="1 others"):
        converted(eight, out)


@pytest.mark.parametrize("place", [".", "inside", "a/b"])
def test_it_does_not_write_where_it_reads(eight, place):
    with pytest.raises(HipauditError, match="outside the source"):
        converted(eight, eight / place)


def test_a_full_disk_is_one_line_and_leaves_no_half_image(eight, tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.files.os.fsync", full)
    with pytest.raises(HipauditError, match="No space left on device"):
        converted(eight, tmp_path / "out")
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


def test_several_workers_write_the_same_bytes(eight, tmp_path):
    converted(eight, tmp_path / "one")
    converted(eight, tmp_path / "three", DataOptions(workers=3))
    for path in (tmp_path / "one").rglob("*.*"):
        if path.is_file():
            other = tmp_path / "three" / path.relative_to(tmp_path / "one")
            assert other.read_bytes() == path.read_bytes()


@pytest.mark.skipif(not DICOM.is_dir(), reason="real radiographs are not here")
def test_real_dicom_radiographs_are_the_reader_s_within_half_a_step(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for path in (*DICOM.glob("pydicom_CSPINE*"), DICOM / "RG3_EXTREMITY_MONO1_RLE.dcm"):
        shutil.copy(path, source)
    assert converted(source, tmp_path / "out").written == 4
    cases = {case.id: case for case in read_cases(source, DataOptions(need_labels=False))}
    rows = rows_of(tmp_path / "out")
    for row in rows:
        case = cases[Path(row["path"]).stem]
        pixels = decode_image((tmp_path / "out" / row["path"]).read_bytes())
        assert np.abs(pixels.astype(np.float64) - case.load()).max() <= 0.5 / 65535 + 1e-7
    told = {(row["vendor"].split()[0], row["view"], row["laterality"]) for row in rows}
    assert told == {("Agfa-Gevaert", "", ""), ("FUJI", "frontal", "R")}

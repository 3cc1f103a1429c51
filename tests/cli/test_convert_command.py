"""hipaudit convert as typed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.canaries import found_in, write_dicom_site


@pytest.fixture
def scans(tmp_path):
    folder = tmp_path / "scans"
    for at, label in enumerate(("fracture", "normal", "fracture", "normal")):
        path = folder / label / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(at).integers(0, 256, (20, 16)).astype(np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


def test_it_says_how_many_were_written_and_how_many_are_exact(hipaudit, scans, tmp_path):
    code, out, _ = hipaudit("convert", scans, tmp_path / "png")
    assert code == 0
    assert "4 images in" in out
    assert "fracture 2, normal 2; patients not identified" in out
    assert "4 read back as exactly the source's pixels, with the same case id" in out


def test_what_was_converted_is_read_like_any_data(hipaudit, scans, tmp_path):
    hipaudit("convert", scans, tmp_path / "png", "-q")
    code, out, _ = hipaudit("convert", tmp_path / "png", tmp_path / "again", "-q")
    assert code == 0
    assert "4 read back as exactly" in out
    first = (tmp_path / "png" / "manifest.csv").read_text()
    assert (tmp_path / "again" / "manifest.csv").read_text() == first


def test_too_many_unreadable_images_end_with_three(hipaudit, scans, tmp_path):
    (scans / "normal" / "9.png").write_bytes(b"no image at all")
    code, out, err = hipaudit("convert", scans, tmp_path / "png")
    assert code == 3
    assert "skipped file 5: not a PNG, JPEG or DICOM file" in err
    assert "1 skipped" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "out"], "no file or folder named nowhere"),
        (["scans", "scans/out"], "outside the source"),
        (["scans", "out", "--size", "3"], "--size"),
        (["scans", "out", "--bits", "12"], '"12" is not one of 8, 16'),
        (["scans", "out", "--format", "jpeg"], '"jpeg" is not one of png'),
        (["scans", "out", "--keep", "hardware"], "no further column"),
        (["scans", "out", "--split", "val"], 'images in a folder "val"'),
        (["scans"], "OUT"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(hipaudit, scans, tmp_path, arguments, words):
    code, _, err = hipaudit("convert", *arguments)
    assert code == 2
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_help_says_why_the_manifest_is_kept(hipaudit):
    code, out, _ = hipaudit("convert", "--help")
    assert code == 0
    words = " ".join(out.split())
    assert "nobody could ask whether its models had learned the scanner" in words
    assert "Removing tags is not anonymity" in words


def test_nothing_said_holds_a_name_even_with_v(hipaudit, tmp_path):
    source = write_dicom_site(tmp_path)
    code, out, err = hipaudit("convert", source, tmp_path / "png", "-v", "--max-skipped", "0.5")
    assert code == 0
    assert "skipped row 10" in err
    assert found_in(out + err) == []

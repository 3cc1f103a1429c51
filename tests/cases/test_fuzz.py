"""Hundreds of damaged files: none raises, none takes the process down, each is read or named."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import gdcm
import numpy as np
import pytest
from openjpeg.utils import encode_array
from PIL import Image

from audit.cases.options import DataOptions
from audit.cases.read import read_cases
from tests.cases.dicoms import by_gdcm, compressed, dataset, grid, write
from tests.cases.test_folders import draw


def mutants(seed: bytes, count: int, keep: int = 0) -> Iterator[bytes]:
    """`count` damaged copies: bytes changed, cut short, or with a piece repeated."""
    rng = np.random.default_rng(len(seed))
    for number in range(count):
        data = bytearray(seed)
        for _ in range(int(rng.integers(1, 12))):
            data[int(rng.integers(keep, len(data)))] = int(rng.integers(256))
        if number % 4 == 0:
            data = data[: int(rng.integers(keep, len(data)))]
        elif number % 4 == 1:
            place = int(rng.integers(keep, len(data)))
            data[place:place] = data[place : place + 40]
        yield bytes(data)


def seeds(folder: Path) -> dict[str, bytes]:
    found = {}
    for kind, image in (("PNG", "L"), ("JPEG", "L"), ("PNG", "P"), ("JPEG", "RGB")):
        stream = io.BytesIO()
        Image.effect_noise((24, 24), 60).convert(image).save(stream, kind, exif=_exif())
        found[f"{image}.{kind.lower()}"] = stream.getvalue()
    stored = grid(32, 32)
    tags = {"WindowCenter": "9", "WindowWidth": "5", "RescaleSlope": "2", "RescaleIntercept": "1"}
    plain = write(folder / "plain.dcm", dataset(stored, ViewPosition="AP", PatientID="x", **tags))
    found["plain.dcm"] = plain.read_bytes()
    packed = compressed(
        dataset(stored), "1.2.840.10008.1.2.4.90", encode_array(stored, bits_stored=12)
    )
    found["j2k.dcm"] = write(folder / "j2k.dcm", packed).read_bytes()
    header = dataset(stored)
    header.compress("1.2.840.10008.1.2.5")
    found["rle.dcm"] = write(folder / "rle.dcm", header).read_bytes()
    for name, syntax in (
        ("lossless", gdcm.TransferSyntax.JPEGLosslessProcess14_1),
        ("jls", gdcm.TransferSyntax.JPEGLSLossless),
    ):
        found[f"{name}.dcm"] = by_gdcm(folder, syntax).read_bytes()
    return found


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 3
    return exif


def audit_all(root: Path, seed: str, data: bytes, count: int) -> None:
    for number, mutant in enumerate(mutants(data, count)):
        name = f"{number}.{seed.rpartition('.')[2]}"
        (root / ("a", "b")[number % 2]).mkdir(exist_ok=True)
        (root / ("a", "b")[number % 2] / name).write_bytes(mutant)
    for label in ("a", "b"):
        draw(root / label / "good.png", ord(label))
    cases = read_cases(root, DataOptions(max_skipped=1))
    assert len(cases) + len(cases.description.skipped) == count + 2
    for case in cases:
        pixels = case.load()
        assert np.isfinite(pixels).all()
        assert pixels.min() >= 0
        assert pixels.max() <= 1
    reasons = " ".join(item.reason for item in cases.description.skipped)
    assert str(root) not in reasons


@pytest.mark.filterwarnings("default")  # Pillow warns about damaged EXIF; a user only sees that
@pytest.mark.parametrize(
    "seed",
    [
        *("L.png", "P.png", "L.jpeg", "RGB.jpeg"),
        *("plain.dcm", "j2k.dcm", "rle.dcm", "lossless.dcm", "jls.dcm"),
    ],
)
def test_damaged_files_are_read_or_skipped_but_never_raise(tmp_path: Path, seed: str) -> None:
    (tmp_path / "seeds").mkdir()
    data = seeds(tmp_path / "seeds")[seed]
    (tmp_path / "data").mkdir()
    audit_all(tmp_path / "data", seed, data, 60)

"""DICOM grey levels: every step in its order, the same pixels in every lossless form."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from audit.cases.decoding import load_pixels, look
from audit.cases.image import Unreadable
from tests.cases.dicoms import by_gdcm, compressed, dataset, grid, write

HERE = Path(__file__).parents[2] / "shared"
SHARED = Path(os.environ.get("HIPAUDIT_SHARED", HERE)) / "data" / "dicom"
JPEG_LOSSLESS, JPEG_LS = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
JPEG_2000, JPEG_BASELINE, RLE = (
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.5",
)


def read(tmp_path: Path, stored: np.ndarray, **tags: Any) -> np.ndarray:
    return load_pixels(write(tmp_path / "a.dcm", dataset(stored, **tags)))


def spread(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (values.max() - values.min())


def test_without_a_window_the_range_is_spread(tmp_path: Path) -> None:
    stored = grid()
    np.testing.assert_allclose(read(tmp_path, stored), stored / 4095, atol=1e-7)


def test_an_empty_rescale_slope_is_no_slope(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        read(tmp_path, grid(), RescaleSlope="", RescaleIntercept=""), read(tmp_path, grid())
    )


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_rescale_and_window_agree_with_pydicom(tmp_path: Path, function: str) -> None:
    tags = {"RescaleSlope": "0.684", "RescaleIntercept": "-20", "VOILUTFunction": function}
    tags |= {"WindowCenter": "1600", "WindowWidth": "2200"}
    stored = grid()
    header = dataset(stored, **tags)
    reference = apply_voi_lut(apply_modality_lut(stored, header), header)
    low, high = 0 * 0.684 - 20, 4095 * 0.684 - 20  # pydicom's output range
    expected = (reference - low) / (high - low)
    np.testing.assert_allclose(read(tmp_path, stored, **tags), expected, atol=1e-6)


def test_the_first_of_several_windows_is_used(tmp_path: Path) -> None:
    many = read(tmp_path, grid(), WindowCenter=["1000", "9"], WindowWidth=["500", "9"])
    one = read(tmp_path, grid(), WindowCenter="1000", WindowWidth="500")
    np.testing.assert_array_equal(many, one)


def test_an_unusable_window_is_replaced_and_recorded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", dataset(grid(), WindowCenter="100", WindowWidth="0"))
    assert look(path).tags["window"] == "minimum to maximum (no usable window given)"
    np.testing.assert_allclose(load_pixels(path), grid() / 4095, atol=1e-7)


@pytest.mark.parametrize(
    "tags",
    [
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PresentationLUTShape": "INVERSE"},
        {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    ],
)
def test_polarity_is_inverted_once_and_after_the_window(tmp_path: Path, tags: Any) -> None:
    window = {"WindowCenter": "1000", "WindowWidth": "500"}
    plain = read(tmp_path, grid(), **window)
    np.testing.assert_allclose(read(tmp_path, grid(), **window, **tags), 1 - plain, atol=1e-6)


def test_padding_is_black_in_both_polarities_and_outside_the_range(tmp_path: Path) -> None:
    stored = grid(bits=10)
    stored[:2] = 4000
    stored[2:3] = 4005
    inside = stored[3:].astype(float)
    padding = {"PixelPaddingValue": 4000, "PixelPaddingRangeLimit": 4010}
    for kind, expected in (("MONOCHROME2", spread(inside)), ("MONOCHROME1", 1 - spread(inside))):
        pixels = read(tmp_path, stored, PhotometricInterpretation=kind, **padding)
        assert (pixels[:3] == 0).all()
        np.testing.assert_allclose(pixels[3:], expected, atol=1e-6)


def test_lookup_tables_agree_with_pydicom(tmp_path: Path) -> None:
    stored = grid(bits=8)
    table = pydicom.Dataset()
    table.LUTDescriptor = [256, 0, 10]
    table.LUTData = (np.linspace(0, 1, 256) ** 2 * 1023).round().astype("<u2").tobytes()
    table["LUTData"].VR = "OW"
    header = dataset(stored, VOILUTSequence=[table], BitsStored=8, HighBit=7)
    expected = apply_voi_lut(stored, header) / 1023
    pixels = load_pixels(write(tmp_path / "a.dcm", header))
    np.testing.assert_allclose(pixels, expected, atol=1e-6)


def test_a_modality_table_comes_before_the_window(tmp_path: Path) -> None:
    stored = grid(bits=8)
    table = pydicom.Dataset()
    table.LUTDescriptor = [256, 0, 16]
    table.LUTData = (np.arange(256) * 16).astype("<u2").tobytes()
    table["LUTData"].VR = "OW"
    tags = {"WindowCenter": "2000", "WindowWidth": "3000", "BitsStored": 8, "HighBit": 7}
    pixels = read(tmp_path, stored, ModalityLUTSequence=[table], **tags)
    expected = np.clip((stored * 16.0 - 1999.5) / 2999 + 0.5, 0, 1)
    np.testing.assert_allclose(pixels, expected, atol=1e-6)


def test_signed_values_are_read_as_signed(tmp_path: Path) -> None:
    values = np.arange(-24, 24, dtype=np.int16).reshape(8, 6)
    pixels = read(tmp_path, values, PixelRepresentation=1)
    np.testing.assert_allclose(pixels, spread(values), atol=1e-6)


def test_overlay_bits_above_the_stored_bits_are_cut_off(tmp_path: Path) -> None:
    stored = grid()
    marked = stored.copy()
    marked[3] |= 0x8000
    np.testing.assert_array_equal(read(tmp_path, marked), read(tmp_path, stored))


@pytest.mark.parametrize("form", ["jpeg-lossless", "jpeg-ls", "jpeg-2000", "rle"])
def test_lossless_forms_decode_to_the_same_pixels(tmp_path: Path, form: str) -> None:
    stored = grid(32, 32)
    if form == "jpeg-lossless":
        path = by_gdcm(tmp_path, gdcm.TransferSyntax.JPEGLosslessProcess14_1)
    elif form == "jpeg-ls":
        path = by_gdcm(tmp_path, gdcm.TransferSyntax.JPEGLSLossless)
    elif form == "rle":
        header = dataset(stored)
        header.compress(RLE)
        path = write(tmp_path / "a.dcm", header)
    else:
        frame = encode_array(stored, bits_stored=12)
        path = write(tmp_path / "a.dcm", compressed(dataset(stored), JPEG_2000, frame))
    syntax = pydicom.dcmread(path).file_meta.TransferSyntaxUID
    assert syntax in (JPEG_LOSSLESS, JPEG_LS, JPEG_2000, RLE)
    np.testing.assert_array_equal(load_pixels(path), (stored / 4095).astype(np.float32))


def test_a_baseline_jpeg_inside_decodes_as_pillow_decodes_it(tmp_path: Path) -> None:
    stored = np.arange(256, dtype=np.uint8).reshape(16, 16)
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, "JPEG", quality=95)
    frame = stream.getvalue()
    path = write(tmp_path / "a.dcm", compressed(dataset(stored), JPEG_BASELINE, frame))
    reference = np.asarray(Image.open(io.BytesIO(frame)), dtype=np.float32)
    np.testing.assert_allclose(load_pixels(path), spread(reference), atol=1e-6)


def test_grey_stored_as_colour_is_read_as_grey(tmp_path: Path) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(8, 6) * 5
    colour = np.repeat(grey[..., None], 3, axis=2)
    tags = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    np.testing.assert_allclose(read(tmp_path, colour, **tags), grey / 255, atol=1e-7)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"NumberOfFrames": 2}, "more than one frame"),
    ({"Rows": 9}, "wrong length"),
    ({"PixelData": b"\0" * 94}, "wrong length"),
    ({"PixelData": b"\0" * 98}, "wrong length"),
    ({"PixelData": None}, "no pixel data"),
    ({"RescaleSlope": "0", "RescaleIntercept": "0"}, "slope"),
    ({"RescaleSlope": "-1", "RescaleIntercept": "0"}, "slope"),
    ({"BitsStored": 17, "HighBit": 16}, "more bits stored"),
    ({"BitsStored": 0}, "more bits stored"),
    ({"HighBit": 15}, "high bit"),
    ({"BitsAllocated": 32}, "bits allocated"),
    ({"Rows": 65000, "Columns": 65000}, "64 megapixels"),
    ({"Columns": 0}, "no rows or columns"),
    ({"Columns": None}, "no usable Columns"),
    ({"PixelRepresentation": 3}, "pixel representation"),
    ({"PhotometricInterpretation": "PALETTE COLOR"}, "neither grey nor RGB"),
    ({"SamplesPerPixel": 3}, "neither grey nor RGB"),
    ({"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 4095}, "nothing but padding"),
]


@pytest.mark.parametrize(("tags", "reason"), REFUSED)
def test_a_header_that_would_be_misread_is_refused(
    tmp_path: Path, tags: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(tmp_path, grid(), **tags)


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("1.2.840.10008.1.2.1.99", "deflated"),
        ("1.2.840.10008.1.2.4.51", "12-bit JPEG Extended"),
        ("1.2.840.10008.1.2.4.100", "JPEG family 100"),
        ("1.2.3.4.5", "another one"),
    ],
)
def test_transfer_syntaxes_that_are_not_read_are_named(
    tmp_path: Path, syntax: str, reason: str
) -> None:
    header = compressed(dataset(grid()), JPEG_BASELINE, b"\xff\xd8\xff\xd9")
    path = write(tmp_path / "a.dcm", header)
    data = path.read_bytes()
    new = syntax.encode() + b"\0" * (len(syntax) % 2)
    old = JPEG_BASELINE.encode()
    place = data.index(old)
    length = int.from_bytes(data[place - 2 : place], "little")
    swapped = data[: place - 2] + len(new).to_bytes(2, "little") + new + data[place + length :]
    group = data.index(b"\x02\x00\x00\x00UL\x04\x00") + 8
    total = int.from_bytes(data[group : group + 4], "little") + len(new) - length
    path.write_bytes(swapped[:group] + total.to_bytes(4, "little") + swapped[group + 4 :])
    with pytest.raises(Unreadable, match=reason):
        load_pixels(path)


def test_a_frame_of_another_size_than_the_header_is_refused(tmp_path: Path) -> None:
    frame = encode_array(grid(32, 32), bits_stored=12)
    path = write(tmp_path / "a.dcm", compressed(dataset(grid()), JPEG_2000, frame))
    with pytest.raises(Unreadable, match="another shape"):
        load_pixels(path)


def test_a_frame_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    frame = encode_array(grid(32, 32), bits_stored=12)
    header = compressed(dataset(grid(32, 32)), JPEG_2000, frame[: len(frame) // 4 * 2])
    with pytest.raises(Unreadable, match="truncated pixel data"):
        load_pixels(write(tmp_path / "a.dcm", header))


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared real radiographs")
def test_real_lossless_forms_of_one_hip_are_identical() -> None:
    forms = ("J2KR", "JLSL", "JPLL", "RLE")
    found = {look(SHARED / f"RG2_HIP_{form}.dcm").digest for form in forms}
    assert len(found) == 1
    with pytest.raises(Unreadable, match="12-bit JPEG Extended"):
        look(SHARED / "RG2_HIP_JPLY.dcm")

"""A site in which every place that could name a person carries a canary, and a search for them."""

from __future__ import annotations

import base64
import csv
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

WORD = "qzxcanary"  # in every name; nothing of ours contains it
BORN, SEEN = "19030517", "20010604"
DATES = (BORN, SEEN, "1903-05-17", "2001-06-04", "17-05-1903", "04/06/2001")
UID = "2.25.77712377"
NUMBER = "880412377"  # a patient number made of digits
PLANTED = (WORD, UID, NUMBER, BORN, SEEN, "1903-05-17", "04/06/2001")
CANARIES = (*PLANTED, *DATES)  # a date may come out in another form than it went in
SIZE = 32
NAMED = (
    "PatientName", "PatientAddress", "PatientComments", "OtherPatientIDs", "AccessionNumber",
    "InstitutionName", "InstitutionAddress", "ReferringPhysicianName", "OperatorsName",
    "PerformingPhysicianName", "StudyID", "StationName", "DeviceSerialNumber", "ImageComments",
    "StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription",
    "InstitutionalDepartmentName", "PatientBirthName", "MilitaryRank", "Occupation",
)  # fmt: skip
DATED = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
COLUMNS = (
    "path", "label", "patient_id", "study_id", "name", "naam", "email", "birth_date",
    "exam_date", "referrer", "physician", "age", "leeftijd", "view", "sex",
)  # fmt: skip


def picture(number: int) -> np.ndarray:
    """(32, 32) uint8, noise with a brighter square in every second one."""
    pixels = np.random.default_rng(number).integers(60, 160, (SIZE, SIZE)).astype(np.uint8)
    pixels[10:20, 10:20] += 90 * np.uint8(number % 2)
    return pixels


def write_png(path: Path, number: int) -> None:
    words = PngInfo()
    words.add_text("Author", f"{WORD} author")
    words.add_itxt("Patient", f"{WORD} patient", zip=True)
    Image.fromarray(picture(number)).save(path, pnginfo=words)


def write_dicom(path: Path, number: int) -> str:
    """The SOPInstanceUID. Every tag of `NAMED` and `DATED` is filled; the person is 98."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = uid = f"{UID}{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, uid
    file.StudyInstanceUID, file.SeriesInstanceUID = f"{UID}8{number}", f"{UID}9{number}"
    for keyword in NAMED:
        setattr(file, keyword, f"{WORD} {number}"[:16])
    for keyword in DATED:
        setattr(file, keyword, SEEN)
    file.PatientBirthDate, file.PatientAge = BORN, "098Y"
    file.PatientID = f"{WORD}{NUMBER}{number // 2}"
    file.Modality, file.PatientSex = "DX", "F"
    file.Manufacturer, file.ManufacturerModelName = "Acme", "X1"
    file.ViewPosition = "AP" if number % 4 < 2 else "LATERAL"
    private = file.private_block(0x0099, f"{WORD} maker", create=True)
    private.add_new(0x01, "LO", f"{WORD} private")
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.Rows, file.Columns = SIZE, SIZE
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.PixelData = picture(number).tobytes()
    file.save_as(path, enforce_file_format=True)
    return uid


def write_manifest_site(folder: Path, count: int = 16) -> Path:
    """PNG and DICOM mixed, a manifest, one duplicate, one broken file; the data folder."""
    data = folder / f"{WORD}_hospital" / f"{WORD}_data"
    data.mkdir(parents=True)
    rows = []
    for number in range(count):
        person = f"{WORD}_{NUMBER}{number // 2}"
        (data / person).mkdir(exist_ok=True)
        suffix = ".dcm" if number % 4 == 1 else ".png"
        path = data / person / f"{WORD}_{SEEN}_{number}{suffix}"
        (write_dicom if suffix == ".dcm" else write_png)(path, number)
        rows.append(_row(path.relative_to(data), number))
    first = data / rows[0][0]
    again = first.with_name(f"{WORD}_again.png")
    again.write_bytes(first.read_bytes())
    broken = first.with_name(f"{WORD}_broken.png")
    broken.write_bytes(first.read_bytes()[:90])
    rows += [_row(path.relative_to(data), 0) for path in (again, broken)]
    rows.append(_row(Path(f"{WORD}_not_there.dcm"), 0))
    with (data / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    return data


def _row(path: Path, number: int) -> list[str]:
    person = number // 2
    return [
        path.as_posix(), "fracture" if number % 2 else "normal", f"{WORD}{NUMBER}{person}",
        f"{WORD}{number}", f"{WORD} {person % 3}", f"{WORD} {person}", f"{WORD}@{WORD}.org",
        "1903-05-17", "04/06/2001", f"Dr {WORD} {person % 2}", f"{WORD} {person % 3}", "98",
        str(91 + person), ("AP", "lateral")[person % 2], "F",
    ]  # fmt: skip


def write_dicom_site(folder: Path, count: int = 8) -> Path:
    """DICOM files and a labels.csv keyed by SOPInstanceUID; the data folder."""
    data = folder / f"{WORD}_pacs"
    data.mkdir(parents=True)
    rows = [
        [write_dicom(data / f"{WORD}{number}.dcm", number), "fracture" if number % 2 else "normal"]
        for number in range(count)
    ]
    (data / f"{WORD}_broken.dcm").write_bytes((data / f"{WORD}0.dcm").read_bytes()[:400])
    rows.append([f"{UID}999", "normal"])
    with (data / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["sop_instance_uid", "label"], *rows])
    return data


def found_in(content: bytes | str) -> list[str]:
    """Canaries in bytes, in any case, as UTF-8 or UTF-16, also inside what is packed in them."""
    data = content.encode() if isinstance(content, str) else content
    hits = set()
    for layer in (data, *unpacked(data)):
        low = layer.lower()
        for canary in CANARIES:
            forms = (canary.encode(), canary.encode("utf-16-be"), canary.encode("utf-16-le"))
            if any(form in low for form in forms):
                hits.add(canary)
    return sorted(hits)


def unpacked(data: bytes) -> Iterator[bytes]:
    """Deflated PDF streams, and what data: addresses hold."""
    if data.startswith(b"%PDF"):
        for match in re.finditer(rb"stream\r?\n", data):
            try:
                plain = zlib.decompressobj().decompress(data[match.end() :])
            except zlib.error:
                continue
            yield plain
            yield re.sub(rb"[^!-~]|[()<>]", b"", plain)  # text drawn in pieces
    for match in re.finditer(rb"base64,([A-Za-z0-9+/=]{16,})", data):
        yield base64.b64decode(match[1] + b"==")

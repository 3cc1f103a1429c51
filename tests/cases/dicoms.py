"""DICOM files made for tests: a small radiograph with any tag, in any transfer syntax."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

DX = "1.2.840.10008.5.1.4.1.1.1.1"


def grid(rows: int = 8, columns: int = 6, seed: int = 0, bits: int = 12) -> np.ndarray:
    """Stored values of every kind, extremes included."""
    values = np.random.default_rng(seed).integers(0, 1 << bits, (rows, columns), dtype=np.uint16)
    values[0, 0], values[0, 1] = 0, (1 << bits) - 1
    return values


def dataset(stored: np.ndarray, **tags: Any) -> Dataset:
    """A DX image of `stored` (H, W) uint16 or uint8, with `tags` set or, when None, removed."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = DX
    header.SOPClassUID = DX
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    header.Rows, header.Columns = stored.shape[:2]
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated = stored.dtype.itemsize * 8
    header.BitsStored = 8 if stored.dtype == np.uint8 else 12
    header.HighBit = header.BitsStored - 1
    header.PixelRepresentation = 0
    header.PixelData = stored.tobytes()
    header["PixelData"].VR = "OB" if stored.dtype == np.uint8 else "OW"
    for name, value in tags.items():
        if value is None:
            delattr(header, name)
        else:
            setattr(header, name, value)
    return header


def compressed(header: Dataset, syntax: str, frame: bytes) -> Dataset:
    """The same image with `frame` as its encapsulated pixel data."""
    header.file_meta.TransferSyntaxUID = syntax
    header.PixelData = encapsulate([frame])
    header["PixelData"].VR = "OB"
    header["PixelData"].is_undefined_length = True
    return header


def write(path: Path, header: Dataset) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True)
    return path


def by_gdcm(folder: Path, syntax: Any) -> Path:
    """A lossless image that gdcm itself packed, in one of its TransferSyntax values."""
    source = write(folder / "plain.dcm", dataset(grid(32, 32)))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    target = folder / "packed.dcm"
    writer.SetFileName(str(target))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return target

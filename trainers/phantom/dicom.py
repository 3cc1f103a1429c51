"""Phantoms as DICOM files: the one place that writes DICOM. Every header says synthetic."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from trainers.phantom.png import COMMENT

if TYPE_CHECKING:
    from trainers.phantom.exposure import Exposure

DIGITAL_X_RAY_FOR_PRESENTATION = UID("1.2.840.10008.5.1.4.1.1.1.1")
LEVELS = 4095  # 12 bits


def phantom_dicom(pixels: npt.NDArray[np.float32], shot: Exposure, split: str) -> bytes:
    """(H, W) in [0, 1], bone bright -> a DICOM file: 12 bits in 16, explicit little endian.

    The same pixels and exposure give the same bytes. Tags: PS3.3 C.8.11 (DX), synthetic data
    (0008,001C), patient identity removed (0012,0062).
    """
    stored = np.rint(pixels * LEVELS).astype("<u2")
    inverted = shot.scanner.inverted
    stored = LEVELS - stored if inverted else stored
    name = f"{shot.seed} {shot.name} {split} {shot.size}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DIGITAL_X_RAY_FOR_PRESENTATION
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["hipaudit phantom", name])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID = meta.MediaStorageSOPClassUID
    file.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _identity(file, shot)
    _acquisition(file, shot)
    file.SamplesPerPixel = 1
    file.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    file.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    file.Rows, file.Columns = stored.shape
    file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
    file.PixelRepresentation = 0
    file.WindowCenter, file.WindowWidth = "2048", "4096"
    file.PixelData = stored.astype("<u2").tobytes()
    stream = io.BytesIO()
    file.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _identity(file: Dataset, shot: Exposure) -> None:
    """Nobody: the name says so."""
    patient = shot.patient
    file.PatientName = "SYNTHETIC^PHANTOM"
    file.PatientID = f"SYN{patient.number:05d}"
    file.PatientSex = patient.sex
    file.PatientAge = f"{patient.age:03d}Y"
    file.PatientIdentityRemoved = "YES"
    file.DeidentificationMethod = "computed phantom, no person"
    file.SyntheticData = "YES"
    file.ImageComments = COMMENT
    file.BurnedInAnnotation = "NO"
    file.StudyInstanceUID = generate_uid(entropy_srcs=["study", f"{shot.seed} {patient.number}"])
    file.SeriesInstanceUID = generate_uid(
        entropy_srcs=["series", f"{shot.seed} {patient.number} {shot.view.position}"]
    )


def _acquisition(file: Dataset, shot: Exposure) -> None:
    file.Modality = "DX"
    file.Manufacturer = shot.scanner.maker
    file.ManufacturerModelName = shot.scanner.model
    file.BodyPartExamined = "HIP"
    file.ViewPosition = shot.view.position
    file.ImageLaterality = shot.patient.side
    file.SeriesDescription = "SYNTHETIC hip " + ("AP" if shot.view.position == "AP" else "lateral")
    pitch = f"{shot.view.field * shot.view.magnification / shot.size:.6f}"
    file.ImagerPixelSpacing = [pitch, pitch]
    file.DistanceSourceToDetector = f"{shot.view.detector:.1f}"
    file.DistanceSourceToPatient = f"{shot.view.source:.1f}"
    file.EstimatedRadiographicMagnificationFactor = f"{shot.view.magnification:.4f}"

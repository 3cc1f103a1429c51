"""The one door to pydicom, gdcm and openjpeg. Runs in a worker process only (dicom_worker.py):
gdcm ends its process on some damaged files.

Refuses, by name, every header that decoders would silently misread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import openjpeg
import pydicom
from pydicom.encaps import generate_frames
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from audit.cases.case import Pixels
from audit.cases.codestream import Frame, jpeg_frame
from audit.cases.dicom_header import DEFLATED, PLUGINS, check_header, transfer_syntax
from audit.cases.greyscale import Lut, Presentation, Values, Window, present
from audit.cases.image import BROKEN, Unreadable, grey_if_equal
from audit.cases.tags import allowed_tags

# What gdcm says of a damaged file could quote its header.
gdcm.Trace.WarningOff()
gdcm.Trace.ErrorOff()
MALFORMED = (*BROKEN, BytesLengthException, InvalidDicomError)


def read_dicom(path: Path) -> tuple[Pixels, dict[str, str]]:
    """A DICOM radiograph -> float32 pixels in [0, 1] and allow-listed tags. Raises Unreadable."""
    header, pixels, shown = _read(path)
    return pixels, allowed_tags(lambda keyword: _texts(header, keyword)) | shown


def read_pixels(path: Path) -> Pixels:
    """The pixels alone, a fifth sooner. Raises Unreadable."""
    return _read(path)[1]


def _read(path: Path) -> tuple[Any, Pixels, dict[str, str]]:
    """Header, float32 pixels in [0, 1] and, of a grey image, how it is shown."""
    try:
        header = _open(path, with_pixels=True)
        syntax = transfer_syntax(header)
        check_header(header, syntax)
    except MALFORMED as error:
        raise Unreadable("damaged DICOM header") from error
    try:
        stored = _stored(header, syntax)
    except MALFORMED as error:
        raise Unreadable("pixel data that cannot be decoded") from error
    if stored.ndim == 3:
        return header, grey_if_equal(stored.astype(np.float32) / np.float32(255)), {}
    try:
        way = _presentation(header)
    except MALFORMED as error:
        raise Unreadable("damaged grey-scale tags") from error
    pixels, window = present(stored, way)
    polarity = "inverted" if way.inverted else "as stored"
    return header, pixels, {"window": window, "polarity": polarity}


def read_uid(path: Path) -> str:
    """SOPInstanceUID (0008,0018), to find a row of a table. Raises Unreadable."""
    try:
        return str(_open(path, with_pixels=False).get("SOPInstanceUID", ""))
    except MALFORMED as error:
        raise Unreadable("damaged DICOM header") from error


def _open(path: Path, *, with_pixels: bool) -> Any:
    with path.open("rb") as stream:
        marked = stream.read(132)[128:] == b"DICM"
    if marked:
        # Deflated data may unfold to gigabytes while it is read, so the syntax comes first.
        syntax = str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
        if syntax == DEFLATED:
            raise Unreadable("deflated transfer syntax, which can hide gigabytes")
    return pydicom.dcmread(path, force=not marked, stop_before_pixels=not with_pixels)


def _stored(header: Any, syntax: str) -> Values:
    """Stored values (H, W) or RGB (H, W, 3), checked against header and frame."""
    wanted = (int(header.Rows), int(header.Columns))
    plugin = PLUGINS[syntax]
    if plugin == "openjpeg":
        stored = _jpeg2000(header)
    else:
        if plugin in ("gdcm", "pillow"):
            _check_frame(header, jpeg_frame(_frame(header)))
        decoder: Any = get_decoder(UID(syntax))
        stored, _ = decoder.as_array(header, decoding_plugin=plugin, correct_unused_bits=False)
    if stored.shape[:2] != wanted or stored.ndim != (3 if header.SamplesPerPixel == 3 else 2):
        raise Unreadable("pixel data of another shape than the header says")
    return stored if stored.ndim == 3 else _within_bits(stored, header, syntax)


def _frame(header: Any) -> bytes:
    """The one compressed frame, whole: openjpeg decodes what is left of a cut one."""
    frame: bytes = next(iter(generate_frames(header.PixelData, number_of_frames=1)))
    # Frames are padded to even length, in practice with any byte.
    if b"\xff\xd9" not in frame.rstrip(b"\0")[-3:]:
        raise Unreadable("truncated pixel data")
    return frame


def _check_frame(header: Any, frame: Frame | None) -> None:
    if frame is None:
        raise Unreadable("damaged JPEG frame")
    if (frame.rows, frame.columns, frame.components) != (
        header.Rows,
        header.Columns,
        header.SamplesPerPixel,
    ):
        raise Unreadable("pixel data of another shape than the header says")
    if (frame.precision > 8) != (header.BitsAllocated > 8):
        raise Unreadable("pixel data of another depth than the header says")


def _jpeg2000(header: Any) -> Values:
    data = _frame(header)
    said = openjpeg.get_parameters(data)
    _check_frame(
        header,
        Frame(said["precision"], said["rows"], said["columns"], said["samples_per_pixel"]),
    )
    if bool(said["is_signed"]) != bool(header.get("PixelRepresentation", 0)):
        raise Unreadable("pixel data of another sign than the header says")
    if header.SamplesPerPixel == 3 and header.PhotometricInterpretation.startswith("YBR_FULL"):
        raise Unreadable("photometric interpretation that is neither grey nor RGB")
    decoded: Values = openjpeg.decode(data)
    return decoded


def _within_bits(stored: Values, header: Any, syntax: str) -> Values:
    """Unused high bits: cut off where old overlays live in them, refused where they cannot be."""
    bits, signed = int(header.BitsStored), bool(header.get("PixelRepresentation", 0))
    values = stored.astype(np.int32)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if values.min() >= low and values.max() <= high:
        return values
    if PLUGINS[syntax] not in ("", "pydicom"):
        raise Unreadable("pixel values beyond the bits stored")
    values &= (1 << bits) - 1
    return np.where(values > high, values - (1 << bits), values) if signed else values


def _presentation(header: Any) -> Presentation:
    inverse = str(header.get("PresentationLUTShape", "")).upper() == "INVERSE"
    return Presentation(
        slope=_decimal(header, "RescaleSlope", 1.0),
        intercept=_decimal(header, "RescaleIntercept", 0.0),
        modality=_lut(header, "ModalityLUTSequence"),
        padding=_padding(header),
        window=_window(header),
        voi=_lut(header, "VOILUTSequence"),
        inverted=inverse or header.PhotometricInterpretation == "MONOCHROME1",
    )


def _decimal(header: Any, keyword: str, absent: float) -> float:
    value = header.get(keyword)
    return absent if value is None else float(value)


def _padding(header: Any) -> tuple[int, int] | None:
    value = header.get("PixelPaddingValue")
    if value is None:
        return None
    limit = header.get("PixelPaddingRangeLimit")
    ends = sorted((int(value), int(value if limit is None else limit)))
    return ends[0], ends[1]


def _window(header: Any) -> Window | None:
    """The first of several windows, as viewers do."""
    center, width = header.get("WindowCenter"), header.get("WindowWidth")
    if center is None or width is None:
        return None
    one = [v[0] if isinstance(v, pydicom.multival.MultiValue) else v for v in (center, width)]
    return Window(float(one[0]), float(one[1]), str(header.get("VOILUTFunction") or "LINEAR"))


def _lut(header: Any, keyword: str) -> Lut | None:
    sequence = header.get(keyword)
    if not sequence:
        return None
    item = sequence[0]
    count, first, bits = (int(part) for part in item.LUTDescriptor)
    count = count or 1 << 16
    data = item.LUTData
    if isinstance(data, bytes):
        little = header.original_encoding[1] is not False
        wide = len(data) >= 2 * count
        dtype = ("<u2" if little else ">u2") if wide else "u1"
        values = np.frombuffer(data, dtype=dtype)
    else:
        values = np.atleast_1d(np.asarray(data, dtype=np.int64))
    if len(values) < count or not 8 <= bits <= 16 or values[:count].max() >= 1 << bits:
        raise Unreadable("damaged lookup table")
    return Lut(first, values[:count].astype(np.uint16), bits)


def _texts(header: Any, keyword: str) -> Sequence[str]:
    """A tag's values as text, whatever is wrong with it; a code sequence gives its first code."""
    with contextlib.suppress(*MALFORMED):
        value = header.get(keyword)
        if keyword == "ViewCodeSequence":
            value = value[0].CodeValue if value else None
        if value is None:
            return ()
        many = isinstance(value, pydicom.multival.MultiValue)
        return tuple(str(part).strip() for part in (value if many else [value]))
    return ()

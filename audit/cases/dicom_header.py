"""Headers that decoders would silently misread are refused here, by name, before decoding."""

from __future__ import annotations

from typing import Any

from audit.cases.image import BROKEN, MAX_PIXELS, Unreadable

BASE = "1.2.840.10008.1.2"
NATIVE = (BASE, f"{BASE}.1", f"{BASE}.2")
# One decoder per syntax, so that a file decodes alike everywhere. "openjpeg" is called directly.
PLUGINS = {
    **dict.fromkeys(NATIVE, ""),
    f"{BASE}.5": "pydicom",
    f"{BASE}.4.50": "pillow",
    f"{BASE}.4.51": "pillow",
    **dict.fromkeys((f"{BASE}.4.57", f"{BASE}.4.70", f"{BASE}.4.80", f"{BASE}.4.81"), "gdcm"),
    **dict.fromkeys((f"{BASE}.4.90", f"{BASE}.4.91"), "openjpeg"),
}
JPEG_EXTENDED = f"{BASE}.4.51"
DEFLATED = f"{BASE}.1.99"
GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


def transfer_syntax(header: Any) -> str:
    """The transfer syntax UID, one that is decoded here. Raises Unreadable for all others."""
    meta = getattr(header, "file_meta", None)
    uid = str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""
    if not uid:
        implicit, little = header.original_encoding
        uid = BASE if implicit else f"{BASE}.1" if little else f"{BASE}.2"
    if uid not in PLUGINS:
        # Only a registered UID is repeated: anything else could be anybody's text.
        number = uid.removeprefix(f"{BASE}.4.")
        known = f"JPEG family {number}" if number.isdigit() and len(number) < 4 else "another one"
        raise Unreadable(f"transfer syntax that is not read ({known})")
    return uid


def check_header(header: Any, syntax: str) -> None:
    """Refuse, with Unreadable, everything that would be decoded into a wrong picture."""
    if "PixelData" not in header:
        raise Unreadable("no pixel data")
    if _number(header, "NumberOfFrames", 1) != 1:
        raise Unreadable("more than one frame")
    rows, columns = _number(header, "Rows"), _number(header, "Columns")
    if rows < 1 or columns < 1:
        raise Unreadable("no rows or columns")
    if rows * columns > MAX_PIXELS:
        raise Unreadable("more than 64 megapixels")
    samples, kind = _number(header, "SamplesPerPixel"), str(header.get("PhotometricInterpretation"))
    if kind not in {1: GREY, 3: COLOUR}.get(samples, ()):
        raise Unreadable("photometric interpretation that is neither grey nor RGB")
    allocated = _check_bits(header, samples, syntax)
    if syntax in NATIVE:
        size = rows * columns * (2 if kind == "YBR_FULL_422" else samples) * (allocated // 8)
        if len(header.PixelData) != size + size % 2:
            raise Unreadable("pixel data of the wrong length")


def _check_bits(header: Any, samples: int, syntax: str) -> int:
    allocated, stored = _number(header, "BitsAllocated"), _number(header, "BitsStored")
    if allocated not in (8, 16) or (samples == 3 and allocated != 8):
        raise Unreadable("bits allocated that are not 8 or 16")
    if not 1 <= stored <= allocated:
        raise Unreadable("more bits stored than allocated")
    if _number(header, "HighBit") != stored - 1:
        raise Unreadable("high bit that does not match the bits stored")
    if _number(header, "PixelRepresentation") not in (0, 1):
        raise Unreadable("unknown pixel representation")
    if syntax == JPEG_EXTENDED and stored != 8:
        raise Unreadable("12-bit JPEG Extended, which no decoder here reads")
    return allocated


def _number(header: Any, keyword: str, absent: int | None = None) -> int:
    """An integer tag; damaged or missing is Unreadable."""
    try:
        value = header.get(keyword)
        return absent if value is None and absent is not None else int(value)
    except BROKEN:
        raise Unreadable(f"no usable {keyword}") from None

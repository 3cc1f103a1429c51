"""Decoding PNG and JPEG to pixels in [0, 1], told apart by content, never by suffix."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from audit.cases.case import Pixels

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
MAX_PIXELS = 64 * 1024 * 1024
MAX_BYTES = 512 * 1024 * 1024
# What Pillow raises on malformed bytes; anything else is a fault of ours and must be seen.
BROKEN = (
    OSError, ValueError, SyntaxError, KeyError, IndexError, TypeError, AttributeError,
    EOFError, OverflowError, MemoryError, RuntimeError, AssertionError, ZeroDivisionError,
    struct.error, zlib.error, Warning,
)  # fmt: skip


class Unreadable(Exception):
    """An image that cannot be used. The text is a reason made of our words only."""


def decode_image(data: bytes) -> Pixels:
    """PNG or JPEG bytes -> float32 in [0, 1], (H, W) grey or (H, W, 3) colour.

    8-bit values are divided by 255 and 16-bit grey by 65535 (Pillow's own 16 -> 8 conversion
    clips). 16-bit colour is read at 8 bits. Alpha is laid over black, EXIF orientation is
    applied, and colour with equal channels is grey. Raises Unreadable.
    """
    if data.startswith(PNG):
        _check_png(data)
        opener: Any = PngImageFile
    elif data.startswith(JPEG):
        opener = JpegImageFile
    else:
        raise Unreadable("not a PNG, JPEG or DICOM file")
    try:
        return _pixels(opener(io.BytesIO(data)))
    except BROKEN as error:
        raise Unreadable("truncated or damaged image") from error


def _check_png(data: bytes) -> None:
    """Every chunk whole and its CRC right: Pillow leaves image data unchecked."""
    place = len(PNG)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        end = place + 12 + length
        if end > len(data):
            break
        kind = data[place + 4 : place + 8]
        (crc,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(data[place + 4 : end - 4]) != crc:
            raise Unreadable("damaged PNG (checksum)")
        if kind == b"IEND":
            return
        place = end
    raise Unreadable("truncated PNG")


def _pixels(image: Any) -> Pixels:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unreadable("more than 64 megapixels")
    if getattr(image, "is_animated", False):
        raise Unreadable("more than one frame")
    if image.mode == "CMYK":
        raise Unreadable("CMYK colour, which no radiograph uses")
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return np.asarray(image, dtype=np.float32) / np.float32(65535)
    if image.mode in ("1", "L") and "transparency" not in image.info:
        return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255)
    if image.mode == "RGB" and "transparency" not in image.info:
        return grey_if_equal(np.asarray(image, dtype=np.float32) / np.float32(255))
    values = np.asarray(image.convert("RGBA"), dtype=np.float32) / np.float32(255)
    return grey_if_equal(values[..., :3] * values[..., 3:])


def grey_if_equal(colour: Pixels) -> Pixels:
    """(H, W, 3) whose channels are equal -> (H, W)."""
    first = colour[..., 0]
    if (colour[..., 1] == first).all() and (colour[..., 2] == first).all():
        return np.ascontiguousarray(first)
    return colour

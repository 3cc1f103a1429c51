"""PNG and JPEG decoding: every depth and mode to [0, 1], nothing clipped, nothing half read."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from audit.cases.image import Unreadable, decode_image


def packed(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def ramp() -> np.ndarray:
    return np.arange(0, 240, 5, dtype=np.uint8).reshape(8, 6)


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG written by hand, so that no library decides what is in it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_eight_bit_grey_is_divided_by_255() -> None:
    pixels = decode_image(packed(Image.fromarray(ramp())))
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, ramp().astype(np.float32) / np.float32(255))


def test_sixteen_bit_grey_keeps_all_its_levels() -> None:
    values = np.array([[0, 1, 255], [256, 4095, 65535]], dtype=">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    expected = values.astype(np.float32) / np.float32(65535)
    np.testing.assert_array_equal(decode_image(png(3, 2, 16, 0, rows)), expected)


def test_sixteen_bit_colour_with_equal_channels_is_grey_to_eight_bits() -> None:
    values = np.array([[0, 32768, 65535]], dtype=">u2")
    rows = b"\0" + np.repeat(values[..., None], 3, axis=2).tobytes()
    np.testing.assert_allclose(decode_image(png(3, 1, 16, 2, rows)), values / 65535, atol=1 / 255)


def test_one_bit_grey_is_black_and_white() -> None:
    np.testing.assert_array_equal(decode_image(png(4, 1, 1, 0, b"\0\xa0")), [[1, 0, 1, 0]])


def test_colour_stays_colour_and_equal_channels_become_grey() -> None:
    colour = np.stack([ramp(), ramp()[::-1], ramp()], axis=2)
    assert decode_image(packed(Image.fromarray(colour))).shape == (8, 6, 3)
    grey = np.repeat(ramp()[..., None], 3, axis=2)
    assert decode_image(packed(Image.fromarray(grey))).shape == (8, 6)


def test_a_palette_is_resolved() -> None:
    image = Image.fromarray(ramp()).convert("P")
    np.testing.assert_allclose(decode_image(packed(image)), ramp() / 255, atol=1e-6)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_laid_over_black(mode: str) -> None:
    image = Image.fromarray(ramp()).convert(mode)
    alpha = np.zeros((8, 6), dtype=np.uint8)
    alpha[:, 3:] = 255
    image.putalpha(Image.fromarray(alpha))
    expected = ramp() / 255.0 * (alpha == 255)
    np.testing.assert_allclose(decode_image(packed(image)), expected, atol=1e-6)


def test_exif_orientation_is_applied() -> None:
    image = Image.new("L", (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter
    assert decode_image(packed(image, "JPEG", exif=exif)).shape == (40, 20)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a PNG, JPEG or DICOM"),
        (b"GIF89a" + b"\0" * 99, "not a PNG, JPEG or DICOM"),
        (packed(Image.fromarray(ramp()))[:-20], "truncated PNG"),
        (packed(Image.effect_noise((64, 64), 50), "JPEG")[:-400], "truncated or damaged"),
        (packed(Image.new("CMYK", (8, 8)), "JPEG"), "CMYK"),
        (png(40000, 40000, 8, 0, b"\0"), "64 megapixels"),
        (
            packed(
                Image.new("L", (4, 4)), save_all=True, append_images=[Image.new("L", (4, 4), 9)]
            ),
            "more than one frame",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        decode_image(data)


def test_every_flipped_bit_of_a_png_is_noticed() -> None:
    data = packed(Image.fromarray(ramp()))
    for place in range(8, len(data)):
        broken = bytearray(data)
        broken[place] ^= 1 << place % 8
        with pytest.raises(Unreadable):
            decode_image(bytes(broken))

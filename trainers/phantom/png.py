"""Phantoms as 8-bit PNG: a tenth of the bytes of DICOM, enough to train on."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

COMMENT = "SYNTHETIC: computed from geometric shapes, shows no person"


def phantom_png(pixels: npt.NDArray[np.float32]) -> bytes:
    """(H, W) in [0, 1] -> a grey PNG file whose text says that it is synthetic."""
    words = PngInfo()
    words.add_text("Comment", COMMENT)
    stream = io.BytesIO()
    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    image.save(stream, "PNG", pnginfo=words, compress_level=6)
    return stream.getvalue()

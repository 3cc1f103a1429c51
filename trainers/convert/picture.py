"""From a case's pixels to the bytes of a PNG that holds pixels and nothing else."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from PIL import Image

from audit.cases.case import Pixels


def as_png(pixels: Pixels, bits: Literal[8, 16]) -> bytes:
    """(H, W) or (H, W, 3) float32 in [0, 1] -> PNG without text, time, profile or EXIF.

    Grey is rounded to 8 or 16 bits; colour to 8, which is all that this reader's colour has.
    Values of 8 or 16 bits come back as exactly what they were; others within half a step.
    """
    colour = pixels.ndim == 3
    levels = 255 if colour or bits == 8 else 65535
    values = np.rint(np.clip(pixels.astype(np.float64), 0.0, 1.0) * levels)
    image = Image.fromarray(values.astype(np.uint8 if levels == 255 else np.uint16))
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def shrunk(pixels: Pixels, size: int | None) -> tuple[Pixels, float, float]:
    """The image with `size` pixels on its shorter side, and the two factors (across, down).

    Averaged over areas; an image that is no larger is left alone.
    """
    height, width = pixels.shape[:2]
    if size is None or min(height, width) <= size:
        return pixels, 1.0, 1.0
    scale = size / min(height, width)
    new = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = [pixels] if pixels.ndim == 2 else [pixels[..., c] for c in range(3)]
    made = [np.asarray(_plane(plane, new), dtype=np.float32) for plane in planes]
    shown = made[0] if pixels.ndim == 2 else np.stack(made, axis=-1)
    return np.clip(shown, 0.0, 1.0), new[0] / width, new[1] / height


def _plane(plane: Pixels, new: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(plane)).resize(new, Image.Resampling.BOX)

"""JPEG: the loss of a lossy copy, as films are sent by mail or kept in a teaching file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Literal

import numpy as np
import numpy.typing as npt

from audit.cases.case import Pixels
from audit.errors import HipauditError
from audit.stresses.registry import Altered, Attackable, Batch, stress
from audit.stresses.severities import per_severity, severities

SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def _qualities(values: Sequence[int]) -> list[float]:
    return severities("qualities", values, 1, 100, falling=True, whole=True)


@stress(
    "jpeg_quality",
    kind="corruption",
    domain="acquisition",
    cost=lambda p: len(_qualities(p["qualities"])),
    check=lambda p: _check(p["chroma"]),
)
def jpeg_quality(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
    *,
    qualities: Sequence[int] = (90, 70, 50, 30, 10),
    chroma: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0",
) -> Iterator[Altered]:
    """Each native image written as baseline JPEG (8 bits) at a quality and read again.

    `qualities` are libjpeg's, 1 to 100 (ITU-T T.81 tables of Annex K, scaled); other programs
    count otherwise. The image is rounded to 8 bits first. A grey image is coded as one
    component; a colour image as YCbCr with its colour at `chroma` resolution, which a grey
    radiograph stored as colour does not notice: its colour components are empty.

    Raises HipauditError unless `qualities` are falling whole numbers from 100 to 1 and
    `chroma` is one of the three.
    """

    def alter(pixels: Pixels, quality: float, _: None) -> Pixels:
        return through_jpeg(pixels, int(quality), SUBSAMPLING[chroma])

    nothing = [None] * len(batch.pixels)
    yield from per_severity(batch, "quality", _qualities(qualities), nothing, alter)


def _check(chroma: str) -> None:
    if chroma not in SUBSAMPLING:
        raise HipauditError("`chroma` to be 4:4:4, 4:2:2 or 4:2:0", f"{chroma!r}")


def through_jpeg(pixels: Pixels, quality: int, subsampling: int) -> Pixels:
    """Pixels (H, W) or (H, W, 3) in [0, 1] after one round trip through Pillow's libjpeg."""
    eight = (pixels * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return written_and_read(eight, quality, subsampling).astype(np.float32) / np.float32(255)


def written_and_read(
    levels: npt.NDArray[np.uint8], quality: int, subsampling: int = SUBSAMPLING["4:2:0"]
) -> npt.NDArray[np.uint8]:
    """Levels (H, W) or (H, W, 3) written as baseline JPEG and read back."""
    from PIL import Image

    file = BytesIO()
    chroma = {"subsampling": subsampling} if levels.ndim == 3 else {}
    Image.fromarray(levels).save(file, "JPEG", quality=quality, **chroma)
    with Image.open(file) as image:
        return np.asarray(image)

"""Cases from arrays: notebooks, tests, data that lives in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from audit.cases.case import Cases, Pixels
from audit.cases.collect import Image, Reading, collect
from audit.cases.identity import pixel_digest
from audit.cases.image import grey_if_equal
from audit.cases.listing import Box
from audit.cases.options import DataOptions
from audit.cases.table import plain_name
from audit.errors import HipauditError

FULL_SCALE = {"uint8": 255.0, "uint16": 65535.0, "bool": 1.0}


class Kept:
    """`Case.load` of an array: a copy, so that nobody changes the case."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    def __call__(self) -> Pixels:
        return self._pixels.copy()


def from_arrays(
    images: Sequence[Any],
    labels: Sequence[Any],
    *,
    patients: Sequence[Any] | None = None,
    attributes: Mapping[str, Sequence[Any]] | None = None,
    boxes: Sequence[Sequence[Box]] | None = None,
    readings: Mapping[str, Sequence[Any]] | None = None,
    name: str = "arrays",
) -> Cases:
    """Cases from (N, H, W), (N, H, W, 3) or (N, 1 or 3, H, W), or N images of any such shape.

    uint8 is divided by 255 and uint16 by 65535; floats must lie in [0, 1]. `attributes` maps a
    column to N values, `boxes` gives each image its (xmin, ymin, xmax, ymax) in pixels,
    `readings` maps a reader to N labels (empty or None: not read).
    Raises HipauditError for lengths that differ and for images that are none of these.
    """
    columns = {plain_name(column): values for column, values in (attributes or {}).items()}
    read = {plain_name(reader): values for reader, values in (readings or {}).items()}
    for what, given in (("labels", labels), ("patients", patients), ("boxes", boxes)):
        _same_length(what, given, len(images))
    for reader, values in read.items():
        _same_length(f'readings of "{reader}"', values, len(images))
    for column, values in columns.items():
        _same_length(f'attribute "{column}"', values, len(images))
    for index, label in enumerate(labels):
        if not _text(label):
            raise HipauditError("a label for every image", f"none for image {index}")
    if not len(images):
        raise HipauditError("at least one image", "none")
    found = []
    for index, image in enumerate(images):
        pixels = _as_pixels(image, index)
        told = {**columns, **read}
        cells = {column: _text(values[index]) for column, values in told.items()}
        if patients is not None:
            cells["patient_id"] = _text(patients[index])
        found.append(
            Image(
                where=f"image {index}",
                digest=pixel_digest(pixels),
                shape=pixels.shape,
                peak=float(pixels.max()),
                label=_text(labels[index]),
                load=Kept(pixels),
                cells=cells,
                boxes=tuple(map(_box, boxes[index])) if boxes is not None else (),
            )
        )
    reading = Reading("arrays", (*columns, *read), name=name)
    return collect(found, reading, DataOptions(reader_columns=tuple(read)))


def _same_length(what: str, given: Sequence[Any] | None, count: int) -> None:
    if given is not None and len(given) != count:
        raise HipauditError(f"{what} for {count} images", f"{len(given)}", "Give one per image.")


def _text(value: Any) -> str:
    """A label or attribute as text; None and NaN (as pandas writes "missing") are empty."""
    return "" if value is None or value != value else str(value).strip()


def _box(box: Box) -> Box:
    xmin, ymin, xmax, ymax = (float(side) for side in box)
    return (xmin, ymin, xmax, ymax)


def _as_pixels(image: Any, index: int) -> Pixels:
    array = np.asarray(image)
    scale = FULL_SCALE.get(array.dtype.name, 1.0)
    if array.dtype.kind != "f" and array.dtype.name not in FULL_SCALE:
        raise HipauditError(
            "uint8, uint16 or float images", f"{array.dtype} (image {index})", "Convert them."
        )
    pixels = array.astype(np.float32) / np.float32(scale)
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3) and pixels.shape[2] not in (1, 3):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not pixels.size:
        raise HipauditError(
            "images of shape (H, W) or (H, W, 3)", f"{array.shape} (image {index})", "Reshape them."
        )
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise HipauditError(
            "float images with values in [0, 1]",
            f"others (image {index})",
            "Divide by the maximum.",
        )
    return grey_if_equal(pixels) if pixels.ndim == 3 else np.ascontiguousarray(pixels)

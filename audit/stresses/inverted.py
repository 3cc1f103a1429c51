"""Inverted: a MONOCHROME1 radiograph shown as if it were MONOCHROME2."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from audit.stresses.registry import Altered, Attackable, Batch, stress


@stress("inverted", kind="corruption", domain="acquisition")
def inverted(
    model: Attackable,  # noqa: ARG001 - a corruption does not look at the model
    batch: Batch,
) -> Iterator[Altered]:
    """Each native image as its negative, 1 - v: bone dark on a bright ground.

    What happens where software does not read DICOM's Photometric Interpretation (0028,0004):
    in MONOCHROME1 the lowest stored value is white. hipaudit reads it; an upstream export to
    PNG may not. It is so or it is not: there is one severity, and no parameter.
    """
    yield Altered({}, [np.float32(1) - pixels for pixels in batch.pixels])

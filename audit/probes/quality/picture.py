"""One poor picture, as the model sees it."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from audit.cases.case import Case
from audit.probes.registry import Picture

SMALLEST = 160  # shown at least this high


def picture(case: Case, x: Tensor, reasons: Sequence[str]) -> Picture:
    """The prepared input (C, H, W) as a PNG, with what is wrong with it in words."""
    from PIL import Image

    grey = (x.mean(0).clamp(0, 1).numpy() * 255).round().astype(np.uint8)
    image = Image.fromarray(grey)
    times = -(-SMALLEST // grey.shape[0])
    if times > 1:
        size = (grey.shape[1] * times, grey.shape[0] * times)
        image = image.resize(size, Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    view = case.attributes.get("view", "")
    what = ", ".join(reasons)
    return Picture(
        name=f"quality-{case.id}.png",
        png=stream.getvalue(),
        kind="quality",
        title=f"{what}: case {case.id}",
        alt=f"Radiograph{f', {view} view' if view else ''}, as the model sees it, found poor as a "
        f"picture: {what}.",
        caption=what,
        meta={"case": case.id, "view": view, "reasons": what},
    )

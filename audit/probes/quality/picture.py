"""One poor picture, as the model sees it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from audit.cases.case import Case
from audit.probes.pictures import levels_of, png
from audit.probes.registry import Picture


def picture(case: Case, x: Tensor, reasons: Sequence[str]) -> Picture:
    """The prepared input (C, H, W) as a PNG, with what is wrong with it in words."""
    view = case.attributes.get("view", "")
    what = ", ".join(reasons)
    return Picture(
        name=f"quality-{case.id}.png",
        png=png(levels_of(x)),
        kind="quality",
        title=f"{what}: case {case.id}",
        alt=f"Radiograph{f', {view} view' if view else ''}, as the model sees it, found poor as a "
        f"picture: {what}.",
        caption=what,
        meta={"case": case.id, "view": view, "reasons": what},
    )

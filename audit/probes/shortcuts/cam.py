"""How much of a Grad-CAM map lies on the border or on a side marker, beside mirrored places."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from audit.findings.measure import with_value
from audit.findings.rates import FEWEST
from audit.metrics.multiplicity import holm
from audit.probes.cam.maps import Map
from audit.probes.gradcam.gallery import enlarged
from audit.probes.shortcuts.metadata import clean
from audit.probes.shortcuts.occlusion import REGIONS, mean_interval, sign_p
from audit.probes.shortcuts.regions import Bools, Box, border, boxed
from audit.probes.shortcuts.table import Table
from audit.results import Finding

MOST = 64
FAMILY = "shortcuts: Grad-CAM"
AREA = "share=area"
MIRRORED = "region=mirrored"


@dataclass
class Mass:
    """Of one region: rows of the table, share of the map inside, share expected, in (m,) each."""

    rows: list[int] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)


def weighed(
    found: dict[str, Mass], row: int, x: Tensor, boxes: list[Box], cam: Map, target: int
) -> None:
    """Add the map of one image x (C, H, W) with the `boxes` of its markers; one that is zero
    everywhere has no share.

    Expected: of the border its area; of a marker the mean share of its mirrored places.
    """
    height, width = x.shape[-2:]
    heat = enlarged(cam(x, target), height, width).astype(np.float64)
    total = heat.sum()
    if not (np.isfinite(total) and total > 0):
        return
    frame = border(height, width)
    _add(found["border"], row, float(heat[frame].sum() / total), float(frame.mean()))
    if boxes:
        mask = boxed(boxes, (height, width))
        mirrored = [float(heat[other].sum() / total) for other in _mirrored(mask)]
        _add(found["marker"], row, float(heat[mask].sum() / total), float(np.mean(mirrored)))


def _mirrored(mask: Bools) -> list[Bools]:
    return [mask[:, ::-1], mask[::-1], mask[::-1, ::-1]]


def _add(mass: Mass, row: int, inside: float, expected: float) -> None:
    mass.rows.append(row)
    mass.inside.append(inside)
    mass.expected.append(expected)


def cam_findings(table: Table, found: dict[str, Mass]) -> list[Finding]:
    """`cam_mass` by region, and its excess over the area (border) or the mirrored places."""
    told: list[Finding] = []
    for region in REGIONS:
        mass = found[region]
        start = clean("cam_mass", {"region": region}, len(mass.rows), table.assumed)
        if len(mass.rows) < FEWEST:
            reason = f"fewer than {FEWEST} maps that are not zero, of images with a {region}"
            told.append(start.model_copy(update={"reason": reason}))
            continue
        rows, inside = np.array(mass.rows, dtype=np.int64), np.array(mass.inside)
        told.append(with_value(start, float(inside.mean()), mean_interval(table, rows, inside)))
        excess = inside - np.array(mass.expected)
        contrast = AREA if region == "border" else MIRRORED
        update = {"contrast": contrast, "p": sign_p(table, rows, excess)}
        gap = with_value(start, float(excess.mean()), mean_interval(table, rows, excess))
        told.append(gap.model_copy(update=update))
    tested = [i for i, one in enumerate(told) if one.p is not None]
    adjusted = holm([told[i].p or 0.0 for i in tested])
    for i, q in zip(tested, adjusted, strict=True):
        told[i] = told[i].model_copy(update={"p_holm": q, "family": FAMILY})
    return told

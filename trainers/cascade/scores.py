"""How well the links do their own work: views named, necks found, metal seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from audit.cascade.module import Cascade
from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.errors import HipauditError
from trainers.cascade.places import Necks, in_frame
from trainers.cascade.relabel import METAL, metal_of, view_of

BATCH = 16


def link_scores(model: Classifier, cases: Cases, necks: Necks) -> dict[str, Any]:
    """Plain data; a link that is not there, or has nothing to be measured on, is not in it.

    `view_accuracy` with `view_n`. `neck_error_px` (frame pixels) and `neck_error_mm` (native
    pixel size known): mean, median and 90th percentile; `neck_in_window`: share of necks inside
    the crop. `metal_recall`, `metal_specificity` at the recorded threshold.
    Raises HipauditError for a classifier that is no cascade.
    """
    cascade = model.module
    if not isinstance(cascade, Cascade):
        raise HipauditError("a cascade", type(cascade).__name__)
    rows = [
        row
        for start in range(0, len(cases), BATCH)
        for row in _rows(model, cascade, cases[start : start + BATCH], necks)
    ]
    found: dict[str, Any] = {}
    named = [row["view"] for row in rows if row.get("view") is not None]
    if named:
        found |= {"view_accuracy": _share(named), "view_n": len(named)}
    for name in ("px", "mm"):
        errors = [row[name] for row in rows if name in row]
        if errors:
            found[f"neck_error_{name}"] = {
                "mean": round(float(np.mean(errors)), 3),
                "median": round(float(np.median(errors)), 3),
                "p90": round(float(np.quantile(errors, 0.9)), 3),
                "n": len(errors),
            }
    inside = [row["inside"] for row in rows if "inside" in row]
    if inside:
        found["neck_in_window"] = _share(inside)
    for label, name in ((METAL[1], "metal_recall"), (METAL[0], "metal_specificity")):
        right = [row["metal"] for row in rows if row.get("metal_label") == label]
        if right:
            found |= {name: _share(right), f"{name}_n": len(right)}
    return found


def _share(right: list[bool]) -> float:
    return round(float(np.mean(right)), 4)


def _rows(
    model: Classifier, cascade: Cascade, part: list[Case], necks: Necks
) -> list[dict[str, Any]]:
    """What each link says of each case, beside what is known."""
    way = model.preparation
    x = torch.stack([model.prepare(case).mean(0, keepdim=True) for case in part]).to(model.device)
    rows: list[dict[str, Any]] = [{} for _ in part]
    with torch.no_grad():
        if cascade.view is not None:
            views = cascade.view.description.classes
            for row, case, chosen in zip(rows, part, cascade.view(x).argmax(1), strict=True):
                known = view_of(case)
                row["view"] = None if known is None else views[int(chosen)] == known
        if cascade.metal is not None:
            for row, case, seen in zip(rows, part, cascade.metal_seen(x), strict=True):
                row["metal_label"] = metal_of(case)
                row["metal"] = bool(seen) == (row["metal_label"] == METAL[1])
        if cascade.localiser is not None:
            centre, side = (t.cpu().numpy() for t in cascade.place(x))
            for row, case, c, s in zip(rows, part, centre, side, strict=True):
                if case.id not in necks.points:
                    continue
                true = np.array(in_frame(necks.points[case.id], case.shape, way))
                if ((true < 0) | (true > 1)).any():
                    continue
                off = np.abs(c - true) * (way.width, way.height)
                row["px"] = float(np.hypot(*off))
                row["inside"] = bool(off.max() <= s * min(way.width, way.height) / 2)
                if case.id in necks.mm:
                    row["mm"] = (
                        row["px"]
                        * _native_per_frame(case, way.height, way.width, way.resize)
                        * necks.mm[case.id]
                    )
    return rows


def _native_per_frame(case: Case, height: int, width: int, resize: str) -> float:
    """Native pixels per frame pixel, averaged over both axes where they are squished."""
    ratios = (case.shape[0] / height, case.shape[1] / width)
    if resize == "squish":
        return sum(ratios) / 2
    return min(ratios) if resize == "crop" else max(ratios)

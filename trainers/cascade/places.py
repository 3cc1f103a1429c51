"""Where the femoral neck is: ground truth of phantoms, or the middle of the lesion boxes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.cases.case import Case, Cases
from audit.cases.private import private_csv
from audit.results import Preparation

TRUTH = "ground_truth.csv"
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Necks:
    """Case id -> (x, y) in native pixels; `mm`: case id -> size of a native pixel, where known.

    `origin`: "ground truth" (fractured or not) or "boxes" (fractured only).
    """

    points: Mapping[str, Point]
    mm: Mapping[str, float]
    origin: str


def necks_of(cases: Cases) -> Necks:
    """What is known of where the neck is.

    `ground_truth.csv` beside the images, with columns path, neck_x and neck_y, as phantoms have
    it; without one, the middle of each case's lesion boxes, which only fractured cases have.
    """
    points, mm = _from_truth(cases)
    if points:
        return Necks(points, mm, "ground truth")
    return Necks({case.id: _middle(case) for case in cases if case.boxes}, {}, "boxes")


def _from_truth(cases: Cases) -> tuple[dict[str, Point], dict[str, float]]:
    tables: dict[Path, dict[str, dict[str, str]]] = {}
    points: dict[str, Point] = {}
    mm: dict[str, float] = {}
    for row in csv.DictReader(io.StringIO(private_csv(cases))):
        image = Path(row["path"])
        folder = image.parent
        if folder not in tables:
            tables[folder] = _table(folder / TRUTH)
        said = tables[folder].get(image.name, {})
        x, y, size = (_number(said.get(name)) for name in ("neck_x", "neck_y", "mm_per_pixel"))
        if not (math.isnan(x) or math.isnan(y)):
            points[row["case"]] = (x, y)
        if size > 0:
            mm[row["case"]] = size
    return points, mm


def _table(path: Path) -> dict[str, dict[str, str]]:
    """File name -> row; nothing where there is no such table."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        return {str(row.get("path")): row for row in csv.DictReader(stream)}


def _number(text: str | None) -> float:
    try:
        found = float(text or "nan")
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _middle(case: Case) -> Point:
    """Of the union of the boxes."""
    left, top = min(b[0] for b in case.boxes), min(b[1] for b in case.boxes)
    right, bottom = max(b[2] for b in case.boxes), max(b[3] for b in case.boxes)
    return (left + right) / 2, (top + bottom) / 2


def in_frame(point: Point, shape: tuple[int, ...], way: Preparation) -> Point:
    """(x, y) in native pixels of an image (H, W[, 3]) -> shares of the prepared frame.

    Outside [0, 1] where the preparation crops the point away.
    """
    height, width = shape[:2]
    if way.resize == "squish":
        return point[0] / width, point[1] / height
    ratios = (way.height / height, way.width / width)
    ratio = max(ratios) if way.resize == "crop" else min(ratios)
    tall, wide = max(1, round(height * ratio)), max(1, round(width * ratio))
    x = point[0] * wide / width + _shift(wide, way.width)
    y = point[1] * tall / height + _shift(tall, way.height)
    return x / way.width, y / way.height


def _shift(length: int, wanted: int) -> int:
    """How far the resized image moves to be cropped or padded about its middle."""
    return (wanted - length) // 2 if length <= wanted else -((length - wanted) // 2)


def window_for(cases: Cases, necks: Necks, way: Preparation) -> float:
    """Side of the crop that holds 90% of the lesion boxes with a tenth to spare.

    As a share of the frame's shorter side, at least a quarter; a half where there are no boxes.
    """
    reach = []
    for case in cases:
        if case.id not in necks.points:
            continue
        x, y = in_frame(necks.points[case.id], case.shape, way)
        for box in case.boxes:
            left, top = in_frame(box[:2], case.shape, way)
            right, bottom = in_frame(box[2:], case.shape, way)
            across = max(abs(left - x), abs(right - x)) * way.width
            down = max(abs(top - y), abs(bottom - y)) * way.height
            reach.append(2 * max(across, down) / min(way.width, way.height))
    if not reach:
        return 0.5
    reach.sort()
    most = reach[min(len(reach) - 1, int(0.9 * len(reach)))]
    return round(min(1.0, max(0.25, 1.1 * most)), 3)

"""A folder of tiny labelled images in three splits, with patients and views, for studies."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32
SPLITS = {"train": 48, "val": 24, "test": 40}  # images


def write_radiographs(
    folder: Path, splits: dict[str, int] | None = None, *, synthetic: bool = True
) -> Path:
    """PNG and manifest.csv; half are fractures (a bright disc), two views of each patient."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE]
    disc = (x - SIDE / 2) ** 2 + (y - SIDE / 2) ** 2 < (SIDE / 4) ** 2
    rows = []
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    for split, count in (splits or SPLITS).items():
        for place in range(count):
            broken = (place // 2) % 2 == 1
            image = draw.uniform(70, 150, (SIDE, SIDE)) + (70 if broken else -40) * disc
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
            rows.append(
                {
                    "path": f"{number}.png",
                    "label": "fracture" if broken else "normal",
                    "patient_id": f"{split}{place // 2}",
                    "view": ("frontal", "lateral")[place % 2],
                    "split": split,
                    "synthetic": "yes" if synthetic else "no",
                }
            )
            number += 1
    with (folder / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder

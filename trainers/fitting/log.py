"""The training log: what every epoch came to, what was used, and why training ended."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from audit.files import write_whole
from audit.study_results import RangeTest

CURVE = {"rates", "losses", "smoothed"}


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch. `phase`: "frozen" or "all"; losses are mean cross-entropy per image.

    `lr`: of the last group of layers, at the last step; `peak_lr`: the highest it may have in
    this phase. `watched`: what early stopping compares.
    """

    number: int
    phase: str
    lr: float
    train_loss: float
    val_loss: float
    val_accuracy: float
    val_auroc: float
    seconds: float
    watched: float = math.nan
    peak_lr: float = math.nan
    weight_decay: float = math.nan


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """All epochs, the one whose weights were kept (from 1), and what ended the training.

    `ended`: "epochs" (the recipe's maximum), "early stop" or "time". `used`: every number the
    recipe left open and what the training ran on.
    """

    epochs: tuple[Epoch, ...]
    best: int
    ended: str
    train: dict[str, int]
    val: dict[str, int]
    range_tests: tuple[RangeTest, ...] = ()
    used: dict[str, Any] = field(default_factory=dict)

    def recorded(self) -> dict[str, Any]:
        """Plain data for the checkpoint. Without seconds, so equal runs give equal files.

        Without the points of the range tests, which `to_json` has.
        """
        return {
            "epochs": [_without(asdict(epoch), {"seconds"}) for epoch in self.epochs],
            "best_epoch": self.best,
            "ended": self.ended,
            "train": dict(self.train),
            "val": dict(self.val),
            "range_tests": [_without(test.model_dump(), CURVE) for test in self.range_tests],
            "used": self.used,
        }

    def to_csv(self) -> str:
        """One line per epoch, seconds included."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(Epoch.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(epoch) for epoch in self.epochs)
        return text.getvalue()

    def to_json(self, recipe: dict[str, Any]) -> str:
        """Everything: recipe, what was used, epochs with seconds, range tests with their points."""
        whole = {
            **self.recorded(),
            "recipe": recipe,
            "epochs": [_without(asdict(epoch), set()) for epoch in self.epochs],
            "range_tests": [test.model_dump() for test in self.range_tests],
        }
        return json.dumps(whole, indent=1, sort_keys=True, allow_nan=False) + "\n"

    def write(self, folder: Path, recipe: dict[str, Any]) -> None:
        """log.csv and log.json, each whole or not at all."""
        write_whole(folder / "log.csv", self.to_csv())
        write_whole(folder / "log.json", self.to_json(recipe))


def _without(row: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    """The row with numbers JSON does not know (NaN of a curve that is no curve) as None."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
        if name not in left_out
    }

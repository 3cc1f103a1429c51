"""The training log: what every epoch came to and why training ended."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch. `phase`: "frozen" or "all"; losses are mean cross-entropy per image."""

    number: int
    phase: str
    lr: float
    train_loss: float
    val_loss: float
    val_accuracy: float
    val_auroc: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """All epochs, the one whose weights were kept (from 1), and what ended the training."""

    epochs: tuple[Epoch, ...]
    best: int
    ended: str
    train: dict[str, int]
    val: dict[str, int]

    def recorded(self) -> dict[str, Any]:
        """Plain data for the checkpoint. Without seconds, so equal runs give equal files."""
        return {
            "epochs": [
                {name: value for name, value in asdict(epoch).items() if name != "seconds"}
                for epoch in self.epochs
            ],
            "best_epoch": self.best,
            "ended": self.ended,
            "train": dict(self.train),
            "val": dict(self.val),
        }

    def to_csv(self) -> str:
        """One line per epoch, seconds included."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(Epoch.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(epoch) for epoch in self.epochs)
        return text.getvalue()

"""A toy problem and a network that learns it in a second: stands in for radiographs."""

from __future__ import annotations

import numpy as np
from torch import nn

from audit.cases.case import Case, Cases
from audit.draws import generator
from audit.results import DataDescription
from trainers.fit import fit

CLASSES = ("normal", "fracture")


def tiny(name, classes, head="native", channels=3, width=512):
    """In place of `build`: draws (dropout) and running statistics included."""
    return nn.Sequential(
        nn.Conv2d(channels, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Dropout(0.1), nn.Linear(32, classes),
    )  # fmt: skip


def toy(count, seed, shuffled=False, patients=False):
    """Bright or dark discs on noise: the label is the brightness unless shuffled."""
    draw = generator(seed, "toy")
    y, x = np.mgrid[:16, :16]
    disc = (x - 8) ** 2 + (y - 8) ** 2 < 16
    cases = []
    for index in range(count):
        broken = index % 2 == 0
        image = draw.uniform(0.3, 0.7, (16, 16)) + (0.25 if broken else -0.25) * disc
        label = bool(draw.random() < 0.5) if shuffled else broken
        pixels = np.clip(image, 0, 1).astype(np.float32)
        cases.append(
            Case(
                id=f"{seed}-{index:04d}",
                label="fracture" if label else "normal",
                load=lambda pixels=pixels: pixels,
                patient=f"P{index // 2:04d}" if patients else None,
                shape=(16, 16),
            )
        )
    return Cases(cases, DataDescription(layout="toy", cases=count, sha256=str(seed)))


def run(train=None, val=None, **settings):
    """Fit the tiny network to the toy problem; settings as `fit` takes them."""
    defaults = {
        "size": 16, "max_epochs": 4, "batch_size": 16, "lr": 0.02, "augmentation": "none"
    }  # fmt: skip
    return fit(
        "tiny",
        train or toy(64, 1),
        val or toy(40, 2),
        classes=CLASSES,
        positive_class="fracture",
        **{**defaults, **settings},
    )


class Told:
    """Progress that remembers; `at` is called with each note."""

    def __init__(self, at=lambda text: None):
        self.notes, self.bars, self.at = [], {}, at

    def run(self, run_id, done, total):
        self.bars.setdefault(run_id, []).append((done, total))

    def note(self, text):
        self.notes.append(text)
        self.at(text)

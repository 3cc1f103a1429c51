"""Small cases and classifiers with known answers, for tests of the engine and above."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from audit.cases.case import Case, Cases
from audit.classifier import Classifier
from audit.results import DataDescription, ModelDescription, Preparation

SIZE = 8


class Brightness(nn.Module):
    """Says class 0 ("fracture") when the mean pixel exceeds `boundary`; logits ± steep × excess."""

    def __init__(self, steep: float = 10.0, boundary: float = 0.5) -> None:
        super().__init__()
        self.boundary = boundary
        self.steep = nn.Parameter(torch.tensor(steep))

    def forward(self, x: Tensor) -> Tensor:
        score = self.steep * (x.mean(dim=(1, 2, 3)) - self.boundary)
        return torch.stack([score, -score], dim=1)


def classifier_of(module: nn.Module, *, channels: int = 1, **changes: object) -> Classifier:
    """A classifier over SIZE × SIZE grey images without normalisation."""
    description = ModelDescription(
        name="double",
        architecture=type(module).__name__,
        classes=("fracture", "normal"),
        positive_class="fracture",
        preparation=Preparation(
            height=SIZE,
            width=SIZE,
            channels=channels,
            mean=(0.0,) * channels,
            std=(1.0,) * channels,
        ),
        preparation_origin="test",
    )
    return Classifier(module, description.model_copy(update=changes))


def cases_of(levels: list[float], labels: list[str] | None = None) -> Cases:
    """One flat grey image per level, labelled by whether it is brighter than 0.5."""
    made = []
    for number, level in enumerate(levels):
        label = labels[number] if labels else ("fracture" if level > 0.5 else "normal")
        pixels = np.full((SIZE, SIZE), level, dtype=np.float32)
        made.append(
            Case(
                id=f"{number * 2654435761 % 2**32:08x}",
                label=label,
                load=lambda pixels=pixels: pixels,
                attributes={"view": "frontal" if number % 2 else "lateral"},
                shape=pixels.shape,
            )
        )
    return Cases(made, DataDescription(layout="doubles", cases=len(made)))

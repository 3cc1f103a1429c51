"""A checkpoint and a folder of images, both as small as an audit allows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from audit.results import ModelDescription, Preparation

SIZE = 32


def write_model(path: Path, classes: tuple[str, ...] = ("normal", "fracture")) -> Path:
    """A SqueezeNet for 32 × 32 pixels that was never trained, as our own checkpoint."""
    import torch

    from audit.checkpoints.architectures import build
    from audit.checkpoints.own import save_checkpoint

    torch.manual_seed(0)
    description = ModelDescription(
        name="tiny",
        architecture="squeezenet1_1",
        classes=classes,
        positive_class=classes[-1],
        preparation=Preparation(height=SIZE, width=SIZE),
    )
    return save_checkpoint(path, build("squeezenet1_1", len(classes)), description)


def write_images(folder: Path, count: int = 8) -> Path:
    """Class folders normal/ and fracture/ with `count` images in all."""
    for number in range(count):
        label = "fracture" if number % 2 else "normal"
        (folder / label).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(60, 200, (SIZE, SIZE)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder

"""ART 1.20.1: as anybody would call it, and sensibly configured.

Stock: default arguments, NCHW. Configured: labels given, one batch for all, and for the spatial
attack an NHWC view with one fresh object per image, since ART sizes the vertical shift of NCHW
images from their channels (so all are 0), and searches one transform for the whole array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from art.attacks.evasion import FastGradientMethod, PixelAttack, SpatialTransformation
from art.attacks.evasion import pixel_threshold as pixel_module
from art.estimators.classification import PyTorchClassifier
from torch import Tensor, nn

from benchmarks.peers.arm import Arm, Found
from benchmarks.peers.subject import CLASSES, Subject

Array = npt.NDArray[np.float32]


class ChannelsLast(nn.Module):
    """(N, H, W, 1) -> what the module says of (N, 1, H, W)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.module(x.permute(0, 3, 1, 2))
        return logits


def estimator(subject: Subject, *, last: bool = False) -> Any:
    shape = tuple(subject.x.shape[1:])
    return PyTorchClassifier(
        ChannelsLast(subject.peer) if last else subject.peer,
        torch.nn.CrossEntropyLoss(),
        (*shape[1:], shape[0]) if last else shape,
        len(CLASSES),
        clip_values=(0.0, 1.0),
        channels_first=not last,
        device_type="gpu" if subject.device.startswith("cuda") else "cpu",
    )


def fgsm(subject: Subject, radii: Sequence[float], images: int) -> list[Arm]:
    target = estimator(subject)
    pixels = subject.x[:images].numpy()
    hot = np.eye(len(CLASSES), dtype=np.float32)[subject.y[:images].numpy()]

    def run(labels: Array | None, **options: Any) -> Found:
        fooled = np.zeros(images, dtype=bool)
        for radius in radii:
            made = FastGradientMethod(target, eps=radius, **options).generate(pixels, labels)
            fooled |= subject.fooled(torch.from_numpy(made))
        return Found(fooled, images * len(radii))

    return [
        Arm("ART stock", lambda: run(None), images),
        Arm("ART configured", lambda: run(hot, batch_size=images), images, "y, one batch"),
    ]


def spatial(
    subject: Subject, angles: int, shifts: int, degrees: float, part: float, images: int
) -> list[Arm]:
    """Cells are counted as ART visits them: equal ones among its rounded shifts once."""
    settings = {
        "max_translation": 100.0 * part,
        "num_translations": shifts,
        "max_rotation": degrees,
        "num_rotations": angles,
        "verbose": False,
    }
    x = subject.x[:images].numpy()

    def stock() -> Found:
        attack = SpatialTransformation(first, **settings)
        made = attack.generate(x)
        return Found(subject.fooled(torch.from_numpy(made)), images * angles * shifts)

    def configured() -> Found:
        made = []
        for image in np.moveaxis(x, 1, -1):
            found = SpatialTransformation(last, **settings).generate(image[None])
            made.append(np.moveaxis(found, -1, 1))
        fooled = subject.fooled(torch.from_numpy(np.concatenate(made)))
        return Found(fooled, images * angles * shifts**2)

    first, last = estimator(subject), estimator(subject, last=True)
    return [
        Arm("ART stock", stock, images, "vertical shifts are all 0"),
        Arm("ART configured", configured, images, "NHWC, one object per image"),
    ]


def one_pixel(subject: Subject, population: int, generations: int, images: int) -> Arm:
    """th=1 pixel by differential evolution. ART fixes 400 members; they are made `population`."""
    target = estimator(subject)
    x = subject.x[:images].numpy()

    def run() -> Found:
        attack = PixelAttack(target, th=1, es=1, max_iter=generations - 1)
        with members(population), np_seeded(0):
            made = attack.generate(x)
        return Found(subject.fooled(torch.from_numpy(made.astype(np.float32))))

    return Arm("ART", run, images, f"th=1, es=1, {population} members")


@contextmanager
def members(population: int) -> Iterator[None]:
    """ART's own evolution, with another number of members than the 400 it hard-codes."""
    before = pixel_module.differential_evolution

    def smaller(func: Any, bounds: Any, **given: Any) -> Any:
        return before(func, bounds, **{**given, "popsize": population // len(bounds)})

    pixel_module.differential_evolution = smaller
    try:
        yield
    finally:
        pixel_module.differential_evolution = before


@contextmanager
def np_seeded(seed: int) -> Iterator[None]:
    """Peers draw from NumPy's global generator."""
    state = np.random.get_state()  # noqa: NPY002 the peers' own source of draws
    np.random.seed(seed)  # noqa: NPY002 as above
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002 as above

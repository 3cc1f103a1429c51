"""Figure 1 of the study: one image, and what augmentation makes of it."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audit.cases.case import Case, Cases
from audit.classifier import prepare_pixels
from audit.draws import generator
from audit.errors import HipauditError
from audit.results import DataDescription, Preparation
from trainers.pixels.batches import Batches, kind_for
from trainers.pixels.cache import store_pixels
from trainers.recipe import Recipe

ROWS, COLUMNS = 3, 4
GAP = 4  # pixels between the images, white


def augmentation_grid(case: Case, recipe: Recipe, seed: int) -> bytes:
    """PNG, 3 × 4: the image as validation sees it, then eleven times as training sees it.

    The eleven are made by what makes a training batch. Raises HipauditError for an image with
    text burned in, which belongs in no figure.
    """
    if case.burned_in is True:
        raise HipauditError("an image without text burned in", f"case {case.id}", "Take another.")
    way = Preparation(height=recipe.size, width=recipe.size, resize=recipe.resize)
    first = prepare_pixels(case.load(), way)[None]
    images = torch.cat([first, _augmented(case, recipe, way, seed)])
    return _png(_grid(images))


def _augmented(case: Case, recipe: Recipe, way: Preparation, seed: int) -> Tensor:
    """(11, C, size, size)"""
    alone = Cases([case], DataDescription(layout="one image", cases=1))
    stored = store_pixels(alone, way, kind_for(recipe.augmentation))
    batches = Batches(stored, way, recipe.augmentation, recipe.flip, torch.device("cpu"))
    rows = torch.zeros(ROWS * COLUMNS - 1, dtype=torch.int64)
    number = int(generator(seed, case.id, "augmentation grid").integers(2**63))
    return batches.see(batches.ready(rows, torch.Generator().manual_seed(number)))


def _grid(images: Tensor) -> npt.NDArray[np.uint8]:
    """(12, C, H, W) in [0, 1] -> (height, width, C)."""
    _, channels, height, width = images.shape
    shape = (ROWS * (height + GAP) - GAP, COLUMNS * (width + GAP) - GAP, channels)
    page = np.full(shape, 255, np.uint8)
    for index, image in enumerate(images):
        top, left = index // COLUMNS * (height + GAP), index % COLUMNS * (width + GAP)
        values = (image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        page[top : top + height, left : left + width] = values
    return page


def _png(page: npt.NDArray[np.uint8]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(page.squeeze()).save(stream, format="PNG", optimize=True)
    return stream.getvalue()

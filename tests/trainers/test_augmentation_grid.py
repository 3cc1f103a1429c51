"""Figure 1: twelve panels, the first as the audit sees the image, never one with burned-in text."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from audit.cases.case import Case
from audit.classifier import prepare_pixels
from audit.errors import HipauditError
from audit.results import Preparation
from trainers.pixels.picture import augmentation_grid
from trainers.recipe import Recipe

PIXELS = np.tile(np.linspace(0, 1, 60, dtype=np.float32), (48, 1))
CASE = Case(id="0" * 16, label="fracture", load=lambda: PIXELS, shape=PIXELS.shape)
RECIPE = Recipe("squeezenet1_1", size=32)


def panels(png):
    page = np.asarray(Image.open(io.BytesIO(png)))
    return [page[r : r + 32, c : c + 32] for r in range(0, 108, 36) for c in range(0, 144, 36)]


def test_the_first_panel_is_what_the_audit_prepares_and_the_others_differ():
    found = panels(augmentation_grid(CASE, RECIPE, 1))
    expected = prepare_pixels(PIXELS, Preparation(height=32, width=32))[0].numpy()
    np.testing.assert_array_equal(found[0], (expected * 255).round())
    assert len({panel.tobytes() for panel in found}) == 12


def test_without_augmentation_all_panels_are_the_image():
    found = panels(augmentation_grid(CASE, replace(RECIPE, augmentation="none"), 1))
    assert len({panel.tobytes() for panel in found}) == 1


def test_the_picture_repeats_with_its_seed():
    assert augmentation_grid(CASE, RECIPE, 1) == augmentation_grid(CASE, RECIPE, 1)
    assert augmentation_grid(CASE, RECIPE, 1) != augmentation_grid(CASE, RECIPE, 2)


def test_colour_stays_colour():
    colour = replace(CASE, load=lambda: np.stack([PIXELS, PIXELS / 2, PIXELS * 0], -1))
    assert panels(augmentation_grid(colour, RECIPE, 1))[5].shape == (32, 32, 3)


def test_an_image_with_text_burned_in_is_refused():
    with pytest.raises(HipauditError, match="without text burned in"):
        augmentation_grid(replace(CASE, burned_in=True), RECIPE, 1)

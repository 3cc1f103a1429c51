"""Limits: planted faults are referred, sound pictures are not, and the stated ones are repeated."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from audit.classifier import prepare_pixels
from audit.errors import HipauditError
from audit.quality.limits import (
    LIMITED,
    STATED_HIGHEST,
    STATED_LOWEST,
    Limits,
    limits_from,
    stated_limits,
)
from audit.quality.measures import measures
from audit.results import Preparation
from tests.doubles import cases_of
from tests.quality.pictures import Array, as_x, blurred, flattened, moved, scenes

SHARED = Path(os.environ.get("HIPAUDIT_SHARED", Path(__file__).parents[2].parent / "shared"))
RADIOGRAPHS = SHARED / "data" / "fracatlas"
FAULTS = {
    "blurred": lambda images: blurred(images, 0.02),
    "moved": lambda images: moved(images, 0.12),
    "low contrast": lambda images: flattened(images, 0.12),
    "uniform": lambda images: 0 * images + 0.4,
    "nothing but noise": lambda images: np.random.default_rng(0).uniform(0, 1, images.shape),
    "over-exposed": lambda images: 4 * images,
    "under-exposed": lambda images: images - 0.75,
}


def share(limits: Limits, images: Array) -> float:
    return float(limits.poor(as_x(images)).double().mean())


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_referred_by_the_stated_limits(fault: str) -> None:
    limits = stated_limits(128, 128)
    assert share(limits, FAULTS[fault](scenes(40, 128, seed=5))) >= 0.9


def test_sound_pictures_are_not_referred_by_the_stated_limits() -> None:
    assert share(stated_limits(128, 128), scenes(100, 128, seed=6)) <= 0.02


@pytest.mark.parametrize("fault", [name for name in FAULTS if "exposed" not in name])
def test_planted_faults_are_referred_by_limits_of_a_reference_at_64_pixels(fault: str) -> None:
    limits = limits_from(as_x(scenes(100, 64, seed=1)), share=0.01)
    assert share(limits, FAULTS[fault](scenes(40, 64, seed=5))) >= 0.9


@pytest.mark.parametrize("asked", [0.0, 0.01, 0.05, 0.2])
def test_no_more_of_the_reference_than_asked_lies_beyond_its_limits(asked: float) -> None:
    reference = scenes(150, 64, seed=2)
    limits = limits_from(as_x(reference), share=asked)
    kept = share(limits, reference)
    assert kept <= asked
    assert kept > 0 or asked < 0.05
    # and of new pictures of the same kind about as many
    fresh = share(limits, scenes(150, 64, seed=3))
    assert fresh <= asked + 3 * np.sqrt((asked + 0.02) / 150) + 0.02


def test_a_reference_without_faults_of_exposure_makes_their_limits_no_stricter() -> None:
    limits = limits_from(as_x(scenes(60, 64)), share=0.05)
    for name in ("noise_share", "black", "white", "border"):
        assert limits.highest[name] >= STATED_HIGHEST[name]


def test_cases_and_their_pixels_give_the_same_limits() -> None:
    way = Preparation(height=8, width=8, channels=1, mean=(0.0,), std=(1.0,))
    cases = cases_of([i / 99 for i in range(100)])
    x = torch.stack([prepare_pixels(case.load(), way) for case in cases])
    assert limits_from(cases, way, share=0.02) == limits_from(x, share=0.02)


def test_too_few_images_and_shares_that_are_none_are_refused() -> None:
    with pytest.raises(HipauditError, match="at least 50 reference images"):
        limits_from(as_x(scenes(9, 32)))
    with pytest.raises(HipauditError, match="a share from 0"):
        limits_from(as_x(scenes(60, 32)), share=5)


def test_a_measure_that_is_not_a_number_is_beyond_its_limit() -> None:
    found = {"contrast": torch.tensor([float("nan"), 0.5])}
    assert Limits({"contrast": 0.1}).beyond(found)["contrast"].tolist() == [True, False]


def test_blur_is_not_judged_where_shrinking_looks_like_it() -> None:
    assert "blur_effect" in stated_limits(112, 300).highest
    small = stated_limits(64, 64)
    assert "blur_effect" not in small.highest
    assert "112" in small.origin


@pytest.fixture(scope="module")
def sound() -> Array:
    """120 radiographs of FracAtlas's train split at 224, in the order of a fixed draw."""
    table = RADIOGRAPHS / "manifest.csv"
    if not table.is_file():
        pytest.skip("no FracAtlas here")
    from PIL import Image

    with table.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train"]
    rng = np.random.default_rng(0)
    rng.shuffle(rows)
    way = Preparation(height=224, width=224, channels=1, mean=(0.0,), std=(1.0,))
    found = []
    for row in rows[:120]:
        with Image.open(RADIOGRAPHS / row["path"]) as image:
            pixels = np.asarray(image.convert("L"), dtype=np.float32) / 255
        found.append(prepare_pixels(pixels, way)[0].numpy())
    return np.stack(found)


SEVERITIES = {
    "contrast": lambda images: flattened(images, 0.25),
    "standard_deviation": lambda images: flattened(images, 0.1),
    "blur_effect": lambda images: blurred(images, 0.01),
    "black": lambda images: images - 0.3,
    "white": lambda images: 3 * images,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERITIES)
def test_each_stated_limit_is_the_median_after_the_degradation_it_names(sound, name) -> None:
    stated = {**STATED_LOWEST, **STATED_HIGHEST}[name]
    found = float(measures(as_x(SEVERITIES[name](sound)), (name,))[name].median())
    assert found == pytest.approx(stated, abs=0.01)


def test_what_is_stated_by_definition_needs_no_radiograph() -> None:
    assert set(LIMITED) - set(SEVERITIES) == {"noise_share", "border"}


@pytest.mark.slow
def test_of_real_radiographs_fewer_than_two_in_a_hundred_are_referred(sound) -> None:
    limits = stated_limits(224, 224)
    assert share(limits, sound) <= 0.02
    assert share(limits, blurred(sound, 0.02)) >= 0.95
    assert share(limits, flattened(sound, 0.15)) >= 0.95

"""The quality filter on phantom radiographs: planted faults are referred, sound ones are not."""

from __future__ import annotations

import numpy as np
import pytest

from audit.quality.limits import SMALLEST, stated_limits
from tests.quality.pictures import Array, as_x, blurred, flattened, moved
from trainers.phantom.exposure import exposures_of, render
from trainers.phantom.people import people_of
from trainers.phantom.spec import PhantomSpec

FAULTS = {
    "blurred": lambda images: blurred(images, 0.02),
    "moved": lambda images: moved(images, 0.12),
    "low contrast": lambda images: flattened(images, 0.12),
    "uniform": lambda images: 0 * images + 0.4,
    "over-exposed": lambda images: 4 * images,
}


@pytest.fixture(scope="module")
def sound() -> Array:
    """Phantoms without motion or exposure faults of their own."""
    spec = PhantomSpec(
        train=24, val=0, test=0, size=SMALLEST, seed=2, moved=0.0, exposure_fault=0.0
    )
    shots = [shot for person in people_of(spec) for shot in exposures_of(person, spec)]
    return np.stack([render(shot) for shot in shots])


def share(images: Array) -> float:
    return float(stated_limits(SMALLEST, SMALLEST).poor(as_x(images)).double().mean())


def test_sound_phantoms_are_not_referred(sound) -> None:
    assert len(sound) == 24
    assert share(sound) == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_nine_in_ten_spoilt_phantoms_are_referred(sound, fault: str) -> None:
    assert share(FAULTS[fault](sound)) >= 0.9

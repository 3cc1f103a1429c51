"""Rounding to 8 bits: what it moves is asked about again, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from doubles import Brightness, cases_of, classifier_of

from audit.attempt import Sight, stressed_rows
from audit.speed.prepared import Kept
from audit.stresses.registry import STRESSES, Altered, stress


@pytest.fixture
def darker() -> Iterator[None]:
    @stress("darker", kind="attack", norm="linf")
    def perturb(model, batch, *, by=0.0):
        yield Altered({"by": by}, batch.x - by)

    yield
    del STRESSES["darker"]


def attempted(by: float) -> tuple[list[int], list[int], int]:
    """Of one image of 130/255: (success, success after 8 bits, images the network saw)."""
    classifier = classifier_of(Brightness())
    rows = stressed_rows(
        STRESSES["darker"],
        {"by": by},
        Sight.alone(classifier),
        cases_of([130 / 255]),
        [True],
        seed=0,
        batch_size=1,
        say=lambda _: None,
    )
    return rows.success.tolist(), rows.success_8bit.tolist(), classifier.forwards


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (5.0, ([1], [1], 1)),  # 125: fooled, and an 8-bit image already
        (2.8, ([1], [1], 2)),  # 127.2 rounds to 127, below the boundary of 127.5
        (2.52, ([1], [1], 2)),  # 127.48 rounds to 127
        (1.0, ([0], [0], 1)),  # 129: not fooled, nothing to ask again
    ],
)
def test_only_what_rounding_moves_is_asked_again(darker: None, levels: float, expected) -> None:
    assert attempted(levels / 255) == expected


def test_a_success_that_rounding_undoes_is_told_apart(darker: None) -> None:
    classifier = classifier_of(Brightness(boundary=127.6 / 255))
    rows = stressed_rows(
        STRESSES["darker"],
        {"by": 2.45 / 255},  # 127.55 is fooled, but rounds to 128, which is not
        Sight.alone(classifier),
        cases_of([130 / 255]),
        [True],
        seed=0,
        batch_size=1,
        say=lambda _: None,
    )
    assert (rows.success.tolist(), rows.success_8bit.tolist()) == ([1], [0])


@pytest.fixture
def smeared() -> Iterator[None]:
    """A corruption that does not keep its hands off what it is given."""

    @stress("smeared", kind="corruption", domain="acquisition")
    def perturb(model, batch):
        for image in batch.pixels:
            image *= 0.5
        yield Altered({}, list(batch.pixels))

    yield
    del STRESSES["smeared"]


def test_an_image_as_acquired_is_decoded_once_for_two_corruptions_and_neither_spoils_it(
    smeared: None,
) -> None:
    decoded: list[int] = []
    (case,) = cases_of([200 / 255])

    def load() -> np.ndarray:
        decoded.append(1)
        return case.load()

    kept, watched = Kept(), [replace(case, load=load)]
    sight = Sight.alone(classifier_of(Brightness()))
    sight.judge.prepare(watched[0])
    decoded.clear()

    def logits() -> list[float]:
        told = {"seed": 0, "batch_size": 1, "say": lambda _: None, "natives": kept}
        rows = stressed_rows(STRESSES["smeared"], {}, sight, watched, [True], **told)
        return rows.logits.tolist()

    first, second = logits(), logits()
    assert len(decoded) == 1
    assert first == second  # halved from the original, not from what the first had made of it

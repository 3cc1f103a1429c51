"""Rounding to 8 bits: what it moves is asked about again, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from doubles import Brightness, cases_of, classifier_of

from audit.attempt import Sight, stressed_rows
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

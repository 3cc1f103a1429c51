"""Dead rows against counts by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from audit.errors import HipauditError
from tests.stresses.native import in_colour, levels_of


def dead(image: np.ndarray, value: float = 0.0, axis: int = 1) -> np.ndarray:
    """Which lines are `value` from end to end."""
    return np.flatnonzero((image == value).all(axis=axis))


@pytest.mark.parametrize(
    ("rows", "rate", "expected"),
    [(1000, 1.0, 1), (3000, 10.0, 30), (224, 10.0, 2), (250, 10.0, 3), (100, 1.0, 1), (1, 1.0, 1)],
)
def test_so_many_rows_in_a_thousand_are_dead_a_half_rounded_up_and_never_none(
    rows, rate, expected
) -> None:
    image = np.full((rows, 6), 0.5, np.float32)
    [(told, [found])] = levels_of("dead_rows", [image], per_thousand=rate)
    assert told == rate
    assert len(dead(found)) == expected
    assert np.count_nonzero(found != 0.5) == expected * 6


def test_all_else_is_the_image_itself() -> None:
    image = np.random.default_rng(0).uniform(0.2, 0.8, (300, 40)).astype(np.float32)
    for _, [found] in levels_of("dead_rows", [image]):
        live = np.setdiff1d(np.arange(300), dead(found))
        assert np.array_equal(found[live], image[live])


def test_columns_and_saturated_lines_can_be_had() -> None:
    image = np.full((8, 500), 0.5, np.float32)
    [(_, [found])] = levels_of("dead_rows", [image], per_thousand=10, value=1.0, axis="columns")
    assert len(dead(found, 1.0, axis=0)) == 5
    assert np.count_nonzero(found != 0.5) == 5 * 8


def test_a_severity_keeps_the_dead_rows_of_the_milder_ones() -> None:
    image = np.full((1000, 3), 0.5, np.float32)
    rows = [set(dead(found)) for _, [found] in levels_of("dead_rows", [image])]
    assert [len(r) for r in rows] == [3, 10, 30, 60, 120]
    assert all(mild < gross for mild, gross in pairwise(rows))


def test_the_rows_of_a_severity_do_not_depend_on_the_other_severities() -> None:
    image = np.full((1000, 3), 0.5, np.float32)
    alone = levels_of("dead_rows", [image], per_thousand=[30.0])[0][1][0]
    among = levels_of("dead_rows", [image])[2][1][0]
    assert np.array_equal(alone, among)


def test_every_place_is_as_likely_as_any_other() -> None:
    images = [np.full((100, 1), 0.5, np.float32)] * 400
    [(_, found)] = levels_of("dead_rows", images, per_thousand=50)
    tenths = np.bincount(np.concatenate([dead(image) for image in found]) // 10, minlength=10)
    assert tenths.sum() == 400 * 5
    assert stats.chisquare(tenths).pvalue > 1e-3


def test_a_grey_radiograph_stored_in_colour_loses_the_same_rows_in_each_channel() -> None:
    image = np.full((1000, 3), 0.5, np.float32)
    for (_, [grey]), (_, [colour]) in zip(
        levels_of("dead_rows", [image]), levels_of("dead_rows", [in_colour(image)]), strict=True
    ):
        assert np.array_equal(colour, in_colour(grey))


@pytest.mark.parametrize(
    "params", [{"per_thousand": (1001.0,)}, {"value": 1.5}, {"axis": "diagonal"}]
)
def test_what_no_detector_has_is_refused(params) -> None:
    with pytest.raises(HipauditError, match=next(iter(params))):
        levels_of("dead_rows", [np.ones((4, 4), np.float32)], **params)

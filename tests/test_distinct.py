"""Sums that need not be counted: equal columns and the rest of a complete attribute."""

from __future__ import annotations

import numpy as np
import pytest

from audit.findings.distinct import distinct, split


def members(missing: bool, seed: int = 0) -> np.ndarray:
    """Everyone, an attribute of three values (not every case has it if `missing`), one of two."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 4 if missing else 3, 50), rng.integers(0, 2, 50)
    columns = [np.ones(50, bool), *(first == v for v in range(3)), second == 0, second == 1]
    return np.stack(columns, axis=1).astype(np.float32)


@pytest.mark.parametrize(("missing", "free"), [(False, [0, 1, 2, 4]), (True, [0, 1, 2, 3, 4])])
def test_the_last_value_of_a_complete_attribute_is_the_rest(missing: bool, free: list[int]) -> None:
    found = split(members(missing))
    assert found.free.tolist() == free


@pytest.mark.parametrize("missing", [False, True])
def test_filled_sums_equal_those_counted_in_every_group(missing: bool) -> None:
    inside = members(missing, seed=3)
    what = np.random.default_rng(1).integers(0, 2, (4, 50)).astype(np.float32)
    found = split(inside)
    assert (found.fill(what @ inside[:, found.free]) == what @ inside).all()


def test_without_everyone_first_every_group_is_counted() -> None:
    assert split(members(missing=False)[:, 1:]).free.tolist() == [0, 1, 2, 3, 4]


def test_no_case_at_all_is_no_reason_to_leave_a_group_out() -> None:
    assert split(np.zeros((0, 3), np.float32)).free.tolist() == [0, 1, 2]


def test_equal_columns_are_counted_once() -> None:
    columns = np.array([[1, 0, 1, 0], [0, 1, 0, 0]], np.float32)
    first, kind = distinct(columns)
    assert (columns[:, first][:, kind] == columns).all()
    assert first.tolist() == [0, 1, 3]

"""The slope of memory against the number of cases."""

from __future__ import annotations

import pytest

from benchmarks.memory import apart, between, slope


def test_the_slope_is_that_between_the_two_largest_audits() -> None:
    points = [(10_000, 730_000), (100, 500_000), (1_000, 550_000)]
    assert slope(points) == (730_000 - 550_000) / 9_000
    assert between(points) == [50_000 / 900, 20.0]


@pytest.mark.slow
def test_a_process_that_only_imports_has_a_peak() -> None:
    found = apart(["--bare"])
    assert found["peak"] == found["before"] > 50e6

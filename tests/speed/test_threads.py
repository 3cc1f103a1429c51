"""Rows in order, whatever finishes first, and the first error of all."""

from __future__ import annotations

import time

import pytest
import torch

from audit.speed.threads import spread


def slow(number: int, weight: int) -> int:
    time.sleep(0.01 if number % 2 else 0)
    if number == 7:
        raise ValueError("seven")
    return number * weight


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_come_in_order(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert spread(slow, range(6), [2, 3] * 3) == [0, 3, 4, 9, 8, 15]
    assert spread(slow, [], []) == []
    with pytest.raises(ValueError, match="seven"):
        spread(slow, range(9), [1] * 9)
    with pytest.raises(ValueError, match="zip"):
        spread(slow, range(2), [1])

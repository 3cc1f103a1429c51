"""Rows in order, whatever finishes first, and the first error of all."""

from __future__ import annotations

import time

import pytest
import torch

from audit.speed.threads import ahead, one_thread_each, spread


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


def test_torch_keeps_to_one_thread_wherever_it_is_asked_and_gets_its_own_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread_each() as threads:
            inside = spread(lambda _: torch.get_num_threads(), range(6), threads=threads)
        assert (threads, inside) == (3, [1] * 6)
        assert torch.get_num_threads() == 3
        assert spread(lambda _: torch.get_num_threads(), [0]) == [3]
    finally:
        torch.set_num_threads(before)


def test_the_next_are_begun_while_one_is_used_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    begun: list[int] = []

    def read(number: int) -> int:
        begun.append(number)
        return number * number

    used = ahead(read, range(9))
    assert next(used) == 0
    assert set(begun) <= {0, 1, 2}
    assert list(used) == [number * number for number in range(1, 9)]
    assert sorted(begun) == list(range(9))


def test_who_stops_early_waits_for_what_was_begun_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    begun: list[int] = []
    for value in ahead(lambda number: begun.append(number) or number, range(1000)):
        if value == 5:
            break
    assert len(begun) <= 5 + 1 + 3
    with pytest.raises(ValueError, match="seven"):
        list(ahead(lambda number: slow(number, 1), range(20)))

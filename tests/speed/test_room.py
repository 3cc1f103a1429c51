"""As many at a time as fit: everything is done once, in order, or the fault comes out by name."""

from __future__ import annotations

import pytest

from audit.speed.memory import Room


def work_in(room: Room, size: int, fits: int, seen: list[int]) -> list[int]:
    def work(part: slice) -> list[int]:
        numbers = list(range(size))[part]
        seen.append(len(numbers))
        if len(numbers) > fits:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return numbers

    return [number for part in room.parts(work, size) for number in part]


@pytest.mark.parametrize("size", [0, 1, 7, 32, 33])
@pytest.mark.parametrize("fits", [1, 2, 5, 100])
def test_everything_is_done_once_and_in_order(size: int, fits: int) -> None:
    assert work_in(Room(16), size, fits, []) == list(range(size))


def test_what_did_not_fit_is_said_once_and_not_tried_again() -> None:
    said: list[str] = []
    seen: list[int] = []
    room = Room(16, said.append)
    work_in(room, 40, 5, seen)
    assert seen[:3] == [16, 8, 4]
    assert max(seen[3:]) == 4
    assert said == [f"not enough memory: batch reduced to {n}" for n in (8, 4)]
    work_in(room, 40, 5, seen)
    assert seen.count(16) == 1


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("no")])
def test_another_fault_is_not_taken_for_a_lack_of_memory(error: Exception) -> None:
    def work(_: slice) -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        Room(16).parts(work, 16)


def test_one_that_does_not_fit_comes_out() -> None:
    with pytest.raises(RuntimeError, match="out of memory"):
        work_in(Room(8), 8, 0, [])


def test_one_that_is_tried_several_ways_at_once_is_tried_with_fewer() -> None:
    room, seen = Room(16), []

    def work(_: slice) -> str:
        seen.append(room.most)
        if room.most > 4:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return "done"

    assert room.parts(work, 1) == ["done"]
    assert seen == [16, 8, 4]

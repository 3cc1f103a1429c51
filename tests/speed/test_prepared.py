"""Prepared images are kept up to a size, and only for the very case they belong to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.cases.case import Case
from audit.speed.prepared import Kept


def case(value: float) -> Case:
    return Case("same", "normal", lambda: np.full((2, 2), value, np.float32))


class Counting:
    """Prepares pixels and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, pixels: np.ndarray) -> torch.Tensor:
        self.asked += 1
        return torch.from_numpy(pixels)[None]


def test_an_image_is_prepared_once() -> None:
    kept, prepare, one = Kept(), Counting(), case(0.5)
    assert kept.get(one, prepare) is kept.get(one, prepare)
    assert prepare.asked == 1


def test_two_cases_of_one_id_are_not_mixed_up() -> None:
    kept, prepare = Kept(), Counting()
    one, other = case(0.25), case(0.75)
    assert kept.get(one, prepare).mean() == 0.25
    assert kept.get(other, prepare).mean() == 0.75


def test_what_was_longest_unused_makes_room() -> None:
    kept, prepare = Kept(room=2 * 16), Counting()  # two images of four float32
    first, second, third = case(0.1), case(0.2), case(0.3)
    for one in (first, second, first, third):  # the second is dropped
        kept.get(one, prepare)
    assert prepare.asked == 3
    kept.get(first, prepare)
    assert prepare.asked == 3
    kept.get(second, prepare)
    assert prepare.asked == 4


def test_of_a_sample_that_does_not_fit_the_first_are_there_again_each_time() -> None:
    kept, prepare = Kept(room=2 * 16, first=True), Counting()
    sample = [case(0.1), case(0.2), case(0.3)]
    for _ in range(3):
        assert [float(kept.get(one, prepare).mean()) for one in sample] == pytest.approx(
            [0.1, 0.2, 0.3]
        )
    assert prepare.asked == 3 + 1 + 1


def test_what_is_larger_than_the_room_is_not_kept() -> None:
    kept, prepare, one = Kept(room=8), Counting(), case(0.5)
    kept.get(one, prepare)
    kept.get(one, prepare)
    assert prepare.asked == 2


def test_all_at_once_are_those_one_by_one_and_each_is_prepared_once() -> None:
    kept, prepare = Kept(), Counting()
    sample = [case(number / 50) for number in range(40)]
    kept.get(sample[7], prepare)
    for _ in range(2):
        found = kept.all(sample, prepare)
        assert [float(x.mean()) for x in found] == pytest.approx([n / 50 for n in range(40)])
    assert prepare.asked == 40
    assert kept.all([], prepare) == []


def test_all_at_once_that_do_not_fit_are_there_all_the_same() -> None:
    kept, prepare = Kept(room=3 * 16), Counting()
    sample = [case(number / 50) for number in range(8)]
    assert [float(x.mean()) for x in kept.all(sample, prepare)] == pytest.approx(
        [n / 50 for n in range(8)]
    )
    assert prepare.asked == 8

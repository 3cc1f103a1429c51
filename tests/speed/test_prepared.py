"""Prepared images are kept up to a size, and only for the very case they belong to."""

from __future__ import annotations

import numpy as np
import torch

from audit.cases.case import Case
from audit.speed.prepared import Kept


def case(value: float) -> Case:
    return Case("same", "normal", lambda: np.full((2, 2), value, np.float32))


class Counting:
    """Prepares a case and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, one: Case) -> torch.Tensor:
        self.asked += 1
        return torch.from_numpy(one.load())[None]


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


def test_what_is_larger_than_the_room_is_not_kept() -> None:
    kept, prepare, one = Kept(room=8), Counting(), case(0.5)
    kept.get(one, prepare)
    kept.get(one, prepare)
    assert prepare.asked == 2

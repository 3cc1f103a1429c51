"""Objects that were there before are left alone, and only for as long as asked."""

from __future__ import annotations

import gc
import weakref

import pytest

from audit.speed.garbage import unsearched


class Knot:
    def __init__(self) -> None:
        self.self = self


def test_a_cycle_from_before_stays_until_the_end_and_a_new_one_goes() -> None:
    old = Knot()
    seen = weakref.ref(old)
    with unsearched():
        del old
        fresh = weakref.ref(Knot())
        gc.collect()
        assert seen() is not None
        assert fresh() is None
    gc.collect()
    assert seen() is None
    assert gc.get_freeze_count() == 0


def test_what_somebody_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        count = gc.get_freeze_count()
        with unsearched():
            pass
        assert gc.get_freeze_count() == pytest.approx(count, abs=100)
    finally:
        gc.unfreeze()


def test_an_error_inside_ends_it_too() -> None:
    with pytest.raises(ValueError, match="stop"), unsearched():
        raise ValueError("stop")
    assert gc.get_freeze_count() == 0

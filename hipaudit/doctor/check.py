"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# problem: an audit cannot run. warning: it can, with a loss that is named. optional: not needed.
State = Literal["ok", "warning", "problem", "optional"]


@dataclass(frozen=True)
class Check:
    """`found` in a few words; `fix` what to type or do, where there is something to mend."""

    state: State
    found: str
    fix: str = ""


def unless(trouble: str, state: State, fix: str, found: str) -> Check:
    """`found` and well, unless there is trouble."""
    return Check(state, trouble, fix) if trouble else Check("ok", found)

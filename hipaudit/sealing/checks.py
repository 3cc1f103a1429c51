"""One thing that is looked at when a report is verified, and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "FAILED", "not checked"]


@dataclass(frozen=True)
class Check:
    """One thing looked at, what came out, and in words why."""

    what: str
    state: State
    why: str

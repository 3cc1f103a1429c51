"""What is said of a metric."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    meaning: str
    how: str
    limits: str
    source: str = ""

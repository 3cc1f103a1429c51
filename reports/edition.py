"""Which edition of a report is made: language, pictures, small cells, kind of PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reports.language import Language

Variant = Literal["pdf/ua-1", "pdf/a-3u"]


@dataclass(frozen=True)
class Edition:
    """`images` False leaves out every picture of a patient. `suppress`: counts of persons from 1
    to below this are not printed (0 prints all)."""

    language: Language = "en"
    images: bool = True
    suppress: int = 0
    variant: Variant = "pdf/ua-1"


ENGLISH = Edition()

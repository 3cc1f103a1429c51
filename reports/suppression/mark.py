"""How a suppressed edition says that it is one."""

from __future__ import annotations

import re

from audit.results import Note, Results

CODE = "suppressed-below-"
OTHERS = "(suppressed)"  # in the place of the values that are left out, with their sum
BURNED_IN = "burned-in-suppressed"
SKIPPED = "skipped-suppressed"


def reason(below: int) -> str:
    """Of everything left out, small itself or not: two reasons would tell which one is small."""
    return f"suppressed: fewer than {below}"


def edition_note(below: int) -> Note:
    text = (
        f"Counts of images or patients below {below}, and what would tell one by subtraction, are "
        "left out of this edition. The audit.json and predictions.csv of the run hold them."
    )
    return Note(code=f"{CODE}{below}", level="info", text=text)


def suppressed_below(results: Results) -> int | None:
    """The number that a suppressed edition was made with; None for the results themselves."""
    found = (re.fullmatch(rf"{CODE}(\d+)", note.code) for note in results.notes)
    return next((int(match[1]) for match in found if match), None)

"""Which part of a split data set is audited. Training data never by default."""

from __future__ import annotations

from collections.abc import Iterable

from audit.errors import HipauditError, did_you_mean
from audit.results import Note

PREFERRED = ("val", "valid", "validation", "test")
TRAINING = ("train", "training")


def choose_split(found: Iterable[str], wanted: str | None) -> tuple[str, list[Note]]:
    """The split to read: the one asked for, else val or valid, else test, else the only one.

    Raises HipauditError when the one asked for is not there, when only training data is there
    and was not asked for, and when nothing tells which to read.
    """
    names = sorted(set(found))
    if wanted is not None:
        if wanted not in names:
            raise HipauditError("a split of the data", f'"{wanted}"', did_you_mean(wanted, names))
        return wanted, [_note(wanted, names, "as asked")]
    by_name = {name.lower(): name for name in reversed(names)}
    for preferred in PREFERRED:
        if preferred in by_name:
            return by_name[preferred], [_note(by_name[preferred], names, "by its name")]
    if len(names) == 1 and names[0].lower() not in TRAINING:
        return names[0], []
    shown = ", ".join(f'"{name}"' for name in names[:8])
    raise HipauditError(
        "a val, valid or test split", f"only {shown}", f'Choose one: --split "{names[0]}".'
    )


def _note(chosen: str, names: list[str], why: str) -> Note:
    others = ", ".join(f'"{name}"' for name in names if name != chosen)
    rest = f"; others not read: {others}" if others else ""
    text = f'Read the split "{chosen}" ({why}){rest}.'
    if chosen.lower() not in TRAINING:
        return Note(code="split", level="info", text=text)
    text += " A model is not tested by what it was fitted on."
    return Note(code="split", level="warning", text=text)

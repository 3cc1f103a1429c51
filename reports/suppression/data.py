"""Labels, attributes and skipped files: few of a kind are counted together, without a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from audit.errors import HipauditError
from audit.results import DataDescription, Note, Skipped
from reports.suppression.counts import left_out, small
from reports.suppression.mark import BURNED_IN, OTHERS, SKIPPED, reason


def without_few(data: DataDescription, below: int) -> DataDescription:
    """The description with counts from 1 to below `below` gone, and what would tell them.

    Raises HipauditError when there are fewer images or patients than that altogether.
    """
    for number, word in ((data.cases, "images"), (data.patients, "patients")):
        if number is not None and number < below:
            raise HipauditError(
                f"an audit of at least {below} {word}",
                "fewer, so that every number would be suppressed",
                "Leave out --suppress, or audit more cases.",
            )
    skipped, told = _skipped(data.skipped, below)
    labels = gathered(data.labels, data.cases, below)
    notes = [*data.notes, *told]
    burned_in = data.burned_in
    if small(burned_in, below) or small(data.cases - burned_in, below):
        burned_in = 0
        text = "How many images have text burned in is left out of this edition."
        notes.append(Note(code=BURNED_IN, level="info", text=text))
    return data.model_copy(
        update={
            "labels": {} if set(labels) == {OTHERS} else labels,
            "attributes": {
                name: gathered(counts, data.cases, below)
                for name, counts in data.attributes.items()
            },
            "skipped": skipped,
            "burned_in": burned_in,
            "notes": tuple(notes),
        }
    )


def gathered(counts: Mapping[str, int], total: int, below: int) -> dict[str, int]:
    """Values with few cases, and the smallest others until their sum is not few, as one entry.

    >>> gathered({"hand": 28, "foot": 1, "leg": 371}, 400, 5)
    {'leg': 371, '(suppressed)': 29}
    """
    few = {name for name, n in counts.items() if small(n, below)}
    out = left_out((total,), {name: (n,) for name, n in counts.items()}, few, below)
    kept = {name: n for name, n in counts.items() if name not in out}
    together = sum(counts[name] for name in out)
    return {**kept, OTHERS: together} if out else kept


def _skipped(skipped: Sequence[Skipped], below: int) -> tuple[tuple[Skipped, ...], Sequence[Note]]:
    """Files left out, with rare reasons made one; none at all where they are few altogether."""
    if small(len(skipped), below):
        text = f"Fewer than {below} files were skipped; which and why is left out."
        return (), [Note(code=SKIPPED, level="info", text=text)]
    kept = gathered(Counter(case.reason for case in skipped), len(skipped), below)
    told = [
        case if case.reason in kept else case.model_copy(update={"reason": reason(below)})
        for case in skipped
    ]
    return tuple(told), []

"""Some of the cases of one reading, described as themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from audit.cases.attributes import UNKNOWN
from audit.cases.case import Case, Cases
from audit.cases.identity import data_sha256
from audit.cases.remarks import remarks
from audit.results import Note

COUNTED = ("duplicates", "duplicate-labels", "burned-in")  # notes about single images


def subset(cases: Cases, kept: Sequence[Case], note: Note | None = None) -> Cases:
    """`kept`, taken from `cases` (attributes may have been dropped), as Cases of their own.

    Counts, hash and notes about single images are those of `kept`; how the data was read, what
    was skipped and the numbers of the patients stay those of the whole reading, so that
    patients of two subsets compare.
    """
    names = sorted({name for case in kept for name in case.attributes})
    patients = {case.patient for case in kept if case.patient is not None}
    whole = cases.description
    own = [*remarks(kept, ()), *([note] if note else [])]
    described = whole.model_copy(
        update={
            "cases": len(kept),
            "patients": len(patients) or None,
            "labels": _counts([case.label for case in kept]),
            "attributes": {
                name: _counts([case.attributes.get(name, UNKNOWN) for case in kept])
                for name in names
            },
            "sha256": data_sha256((case.id, case.label) for case in kept),
            "burned_in": sum(case.burned_in is True for case in kept),
            "notes": (*(n for n in whole.notes if n.code not in COUNTED), *own),
        }
    )
    ids = {case.id for case in kept}
    known = {case.id for case in cases}
    paths = {k: place for k, place in cases._paths.items() if k in ids or k not in known}
    return Cases(kept, described, paths, cases.reading, cases.people)


def _counts(values: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))

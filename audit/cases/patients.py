"""Which images belong to one person, without saying who."""

from __future__ import annotations

from collections.abc import Sequence

from audit.cases.identity import pseudonyms
from audit.results import Note

# What de-identification leaves in PatientID instead of a person.
NOBODY = (
    "",
    "0",
    "-",
    "na",
    "n/a",
    "none",
    "unknown",
    "anon",
    "anonymous",
    "anonymized",
    "anonymised",
)


def number_patients(ids: Sequence[str], raw: Sequence[str]) -> tuple[list[str | None], list[Note]]:
    """P0001… per case, or None for all when no patient is known.

    When some are known, an image without one counts as a patient of its own, and a note says so.
    """
    known = [text.strip() if text.strip().lower() not in NOBODY else "" for text in raw]
    if not any(known):
        text = "No patient ids: images are treated as independent."
        return [None] * len(ids), [Note(code="no-patients", level="assumed", text=text)]
    # A leading NUL keeps the stand-in apart from any id a table can contain.
    own = [patient or f"\x00{case_id}" for case_id, patient in zip(ids, known, strict=True)]
    names = pseudonyms(zip(ids, own, strict=True))
    without = known.count("")
    notes = []
    if without:
        text = f"{without} images have no patient id; each counts as a patient of its own."
        notes.append(Note(code="patients-missing", level="assumed", text=text))
    if len(names) == 1 and len(ids) > 1:
        text = "All images carry the same patient id: no interval can be clustered by patient."
        notes.append(Note(code="one-patient", level="warning", text=text))
    return [names[patient] for patient in own], notes

"""Where two audits know different things of the same cases: whose reading counts, and a note."""

from __future__ import annotations

from collections.abc import Sequence

from audit.evidence import Subject
from audit.results import Note, Results


def one_reading_of_patients(
    ones: Sequence[Subject], others: Sequence[Subject]
) -> tuple[list[str | None], list[Note]]:
    """Patients numbered by their smallest case id: by BASE, where it knows any, else by NEW."""
    said = [subject.patient for subject in ones]
    also = [subject.patient for subject in others]
    chosen = said if any(name is not None for name in said) else also
    numbers: dict[str, str] = {}
    found = [
        None if name is None else numbers.setdefault(name, f"P{len(numbers) + 1:04d}")
        for name in chosen
    ]
    odd = _grouped_otherwise(said, also)
    if not odd:
        return found, []
    text = (
        f"{odd} of {len(ones)} cases belong to other patients in NEW than in BASE; "
        "BASE's patients are used."
    )
    return found, [Note(code="patients-differ", level="warning", text=text)]


def _grouped_otherwise(one: Sequence[str | None], two: Sequence[str | None]) -> int:
    """Cases whose patient has other cases in one audit than in the other; names do not matter.

    Nothing is compared where either audit knows no patient at all.
    """
    if not (any(one) and any(two)):
        return 0
    members: list[dict[str | None, list[int]]] = [{}, {}]
    for at, names in enumerate(zip(one, two, strict=True)):
        for side, name in zip(members, names, strict=True):
            side.setdefault(name, []).append(at)
    return sum(
        (a is None) != (b is None) or (a is not None and members[0][a] != members[1][b])
        for a, b in zip(one, two, strict=True)
    )


def one_reading_of_attributes(
    ones: Sequence[Subject], others: Sequence[Subject]
) -> tuple[list[dict[str, str]], list[Note]]:
    """What either audit knows of a case; where they differ, what BASE says."""
    odd: dict[str, int] = {}
    found = []
    for one, other in zip(ones, others, strict=True):
        for name in one.attributes.keys() & other.attributes.keys():
            odd[name] = odd.get(name, 0) + (one.attributes[name] != other.attributes[name])
        found.append({**other.attributes, **one.attributes})
    notes = [
        Note(
            code="attribute-differs",
            level="warning",
            text=f"{count} cases have another {name} in NEW than in BASE; BASE's is used.",
        )
        for name, count in sorted(odd.items())
        if count
    ]
    return found, notes


def left_out(common: int, base: int, new: int) -> list[Note]:
    if common == base == new:
        return []
    text = (
        f"{common} cases are compared; {base - common} are in BASE only and {new - common} in "
        "NEW only, and say nothing here."
    )
    return [Note(code="cases-left-out", level="warning", text=text)]


def other_settings(one: Results, two: Results) -> list[Note]:
    """What differs between the two audits beside the model."""
    notes = []
    if one.plan.seed != two.plan.seed:
        text = "The audits drew with different seeds: samples and random starts differ."
        notes.append(Note(code="seeds-differ", level="warning", text=text))
    if one.tool_version != two.tool_version:
        text = f"Made by hipaudit {one.tool_version or '?'} and {two.tool_version or '?'}."
        notes.append(Note(code="versions-differ", level="warning", text=text))
    if one.model.sha256 and one.model.sha256 == two.model.sha256:
        text = "Both audits are of the same weights."
        notes.append(Note(code="same-weights", level="info", text=text))
    return notes

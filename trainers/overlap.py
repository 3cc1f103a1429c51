"""Patients and identical images that lie in more than one split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from audit.cases.case import Case
from audit.errors import HipauditError
from audit.results import Note

Overlap = Literal["refuse", "drop"]
ORDER = ("train", "val", "test")  # the later one keeps what two share


def together(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """Cases that may not be parted: those of a patient, and identical images whoever has them.

    Keyed by the smallest case id, so that the keys do not depend on the order of the cases.
    """
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for case in cases:
        for shared in _keys(case):
            leader[find(f"{shared}")] = find(case.id)
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[find(case.id)].append(case)
    return {min(case.id for case in members): members for members in groups.values()}


def refuse_overlap(cases: Iterable[Case], roles: Mapping[str, str]) -> None:
    """Raise HipauditError with counts when two splits share a patient or an identical image."""
    found = _splits_of(cases, roles)
    patients = sum(len(s) > 1 for (kind, _), s in found.items() if kind == "patient")
    images = sum(len(s) > 1 for (kind, _), s in found.items() if kind == "image")
    if not (patients or images):
        return
    shared = [s for s in found.values() if len(s) > 1]
    named = sorted({name for splits in shared for name in splits}, key=ORDER.index)
    raise HipauditError(
        "no patient and no image in two splits",
        f"{patients} patients and {images} images shared by {' and '.join(named)}",
        "Mend the splits, or leave them out of the earlier split: --overlap drop.",
    )


def drop_overlap(cases: Sequence[Case], roles: Mapping[str, str]) -> tuple[list[Case], list[Note]]:
    """What is left when every patient and image stays only in the last split it occurs in."""
    found = _splits_of(cases, roles)
    last = {key: max(splits, key=ORDER.index) for key, splits in found.items()}
    kept = [case for case in cases if all(last[key] == roles[case.id] for key in _keys(case))]
    lost = len(cases) - len(kept)
    if not lost:
        return kept, []
    text = f"{lost} images were left out because their patient or an identical image is in a "
    text += "later split."
    return kept, [Note(code="overlap-dropped", level="warning", text=text)]


def _keys(case: Case) -> list[tuple[str, str]]:
    image = ("image", case.id.partition("-")[0])
    return [image, ("patient", case.patient)] if case.patient else [image]


def _splits_of(cases: Iterable[Case], roles: Mapping[str, str]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for case in cases:
        for key in _keys(case):
            found[key].add(roles[case.id])
    return found

"""The cases that two audits share: one frame for both, with BASE's classes, groups and patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.compare.side import Side
from audit.errors import HipauditError
from audit.evidence import Predictions, Subject
from audit.findings.frame import Frame, make_frame
from audit.findings.groups import make_groups
from audit.findings.view import View
from audit.results import Note

Ints = npt.NDArray[np.int64]
SHOWN = 5  # ids in a message


@dataclass(frozen=True)
class Pair:
    """`frame`: of the shared cases, in the order of their ids. `base_at`, `new_at`: place among
    them of each subject of BASE and NEW, -1 for a case of one side only. `classes_of_new` (K,):
    BASE's number of each of NEW's classes."""

    frame: Frame
    base_at: Ints
    new_at: Ints
    classes_of_new: Ints
    notes: tuple[Note, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Those that groups are made of."""
        return tuple(dict.fromkeys(name for group in self.frame.groups.names for name in group))

    def of_base(self, view: View) -> View:
        """A view of BASE, of shared cases only."""
        return _moved(view, self.base_at)

    def of_new(self, view: View) -> View:
        """A view of NEW, of shared cases only and in BASE's classes."""
        moved = _moved(view, self.new_at)
        known = np.append(self.classes_of_new, -1)  # -1, not finite, stays -1
        return replace(moved, decided=known[moved.decided])


def pair(
    base: Side,
    new: Side,
    subgroups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Pair:
    """Pair two audits by case id. `subgroups`: as in `audit.findings.derive`.

    Raises HipauditError when the classes differ, no case is shared, or a shared case has two
    labels.
    """
    classes_of_new = _check_classes(base, new)
    first = {subject.id: at for at, subject in enumerate(base.predictions.subjects)}
    second = {subject.id: at for at, subject in enumerate(new.predictions.subjects)}
    common = sorted(first.keys() & second.keys())
    if not common:
        raise HipauditError(
            "two audits of the same images",
            f"none of {len(first)} and {len(second)} case ids in common",
            "Audit both models on the same --data.",
        )
    ones = [base.predictions.subjects[first[name]] for name in common]
    others = [new.predictions.subjects[second[name]] for name in common]
    _check_labels(ones, others, classes_of_new)
    patients, odd_patients = _patients(ones, others)
    attributes, odd_attributes = _attributes(ones, others)
    subjects = tuple(
        replace(one, patient=patient, attributes=known)
        for one, patient, known in zip(ones, patients, attributes, strict=True)
    )
    decision = base.predictions.decision
    shared = Predictions(subjects, base.predictions.classes, decision)
    frame = make_frame(shared, make_groups(subjects, subgroups), seed, resamples)
    notes = [*odd_patients, *odd_attributes, *_only_one(len(common), len(first), len(second))]
    return Pair(
        frame,
        _places(len(first), first, common),
        _places(len(second), second, common),
        classes_of_new,
        (*notes, *_settings(base, new)),
    )


def _moved(view: View, at: Ints) -> View:
    shared = view.only(view.cases[at[view.cases] >= 0])
    return replace(shared, cases=at[shared.cases])


def _places(count: int, where: dict[str, int], common: Sequence[str]) -> Ints:
    places = np.full(count, -1, dtype=np.int64)
    places[[where[name] for name in common]] = np.arange(len(common))
    return places


def _check_classes(base: Side, new: Side) -> Ints:
    one, two = base.results.model, new.results.model
    if {*one.classes} != {*two.classes}:
        raise HipauditError(
            f"two models of the classes {', '.join(one.classes)}",
            f"{', '.join(two.classes)} in NEW",
            "Only models that answer the same question can be compared.",
        )
    if one.positive_class != two.positive_class:
        raise HipauditError(
            f'"{one.positive_class}" as the positive class of both',
            f'"{two.positive_class}" in NEW',
            f"Audit NEW again with --positive-class {one.positive_class}.",
        )
    return np.array([one.classes.index(name) for name in two.classes], dtype=np.int64)


def _check_labels(ones: Sequence[Subject], others: Sequence[Subject], classes: Ints) -> None:
    wrong = [
        one.id
        for one, other in zip(ones, others, strict=True)
        if one.target != classes[other.target]
    ]
    if wrong:
        more = ", …" if len(wrong) > SHOWN else ""
        raise HipauditError(
            "one label for the same case",
            f"two for {len(wrong)} of {len(ones)} cases ({', '.join(wrong[:SHOWN])}{more})",
            "Audit both models on the same labels.",
        )


def _patients(
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


def _attributes(
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


def _only_one(common: int, base: int, new: int) -> list[Note]:
    if common == base == new:
        return []
    text = (
        f"{common} cases are compared; {base - common} are in BASE only and {new - common} in "
        "NEW only, and say nothing here."
    )
    return [Note(code="cases-left-out", level="warning", text=text)]


def _settings(base: Side, new: Side) -> list[Note]:
    """What differs between the two audits beside the model."""
    notes = []
    one, two = base.results, new.results
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

"""The cases that two audits share: one frame for both, with BASE's classes, groups and patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audit.compare.readings import (
    left_out,
    one_reading_of_attributes,
    one_reading_of_patients,
    other_settings,
)
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
    patients, odd_patients = one_reading_of_patients(ones, others)
    attributes, odd_attributes = one_reading_of_attributes(ones, others)
    subjects = tuple(
        replace(one, patient=patient, attributes=known)
        for one, patient, known in zip(ones, patients, attributes, strict=True)
    )
    decision = base.predictions.decision
    shared = Predictions(subjects, base.predictions.classes, decision)
    frame = make_frame(shared, make_groups(subjects, subgroups), seed, resamples)
    notes = [*odd_patients, *odd_attributes, *left_out(len(common), len(first), len(second))]
    return Pair(
        frame,
        _places(len(first), first, common),
        _places(len(second), second, common),
        classes_of_new,
        (*notes, *other_settings(base.results, new.results)),
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

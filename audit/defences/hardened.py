"""Classifiers that were trained as a defence: what they share with the given one, what is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from audit.classifier import Classifier
from audit.defences.registry import under_defence
from audit.errors import HipauditError
from audit.findings.handled import ONLY_REFER
from audit.results import Note

SAME = ("classes", "positive_class", "preparation", "threshold")


def check_alike(classifier: Classifier, hardened: Mapping[str, Classifier]) -> None:
    """HipauditError unless all read an image and decide alike: only then do cases pair."""
    for name, other in hardened.items():
        for field in SAME:
            ours = getattr(classifier.description, field)
            theirs = getattr(other.description, field)
            if ours != theirs:
                raise HipauditError(
                    f"the {field} of the given model ({ours}) under {name}",
                    str(theirs),
                    "Harden this model itself.",
                )


def referring(
    classifier: Classifier,
    names: Iterable[str],
    params: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Classifier]:
    """Those of the named defences that only refer, made once: their limits belong to the notes
    of the audit and to what identifies it. `params`: what each defence is set to, by its name."""
    given = params or {}
    return {
        name: under_defence(classifier, name, {}, given.get(name))
        for name in names
        if name in ONLY_REFER
    }


def as_examined(classifier: Classifier, hardened: Mapping[str, Classifier]) -> Classifier:
    """The classifier as probes see it: with the limits that its quality filter was made with."""
    filtered = hardened.get("quality-filter")
    if filtered is None:
        return classifier
    seen = classifier.derived()
    told = {"training": filtered.description.training}
    seen.description = classifier.description.model_copy(update=told)
    return seen


def notes_of(classifier: Classifier, hardened: Mapping[str, Classifier]) -> tuple[Note, ...]:
    """What the hardened classifiers say of themselves beyond the given one."""
    known = set(classifier.description.notes)
    return tuple(
        note for other in hardened.values() for note in other.description.notes if note not in known
    )

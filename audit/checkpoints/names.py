"""Class names, their order, and which of them is positive."""

from __future__ import annotations

import re
from collections.abc import Sequence

from audit.checkpoints.text import listed, quoted
from audit.errors import HipauditError, did_you_mean
from audit.results import Note

POSITIVE = {
    *("fracture", "fractured", "fractures", "fx", "broken", "positive", "pos", "abnormal"),
    *("diseased", "disease", "pathological", "pathology", "malignant"),
}
NEGATIVE = {
    *("normal", "normals", "negative", "neg", "healthy", "intact", "control", "benign"),
    *("unfractured", "nonfractured", "nofracture", "unbroken", "nonfracture"),
}
NOT = {"no", "not", "non", "without", "un"}


def class_order(
    outputs: int, labels: Sequence[str], said: Sequence[str] | None, source: str
) -> tuple[tuple[str, ...], list[Note]]:
    """Class names in the order of the outputs (2 for a network of one output).

    `said`: the names given or found in the checkpoint, with their `source`; without them the
    data's label names in alphabetical order, as image-folder loaders number them, with a
    note. Raises HipauditError when the counts differ or the data has other labels.
    """
    notes: list[Note] = []
    if said is None:
        said = sorted(set(labels))
        source = "the data"
        text = f"Class order unverified: alphabetical ({', '.join(said)}) assumed."
        notes = [Note(code="class-order", level="assumed", text=text)]
    wanted = 2 if outputs == 1 else outputs
    if len(set(said)) != len(said):
        raise HipauditError("class names that differ", listed(said), _flag(wanted))
    if len(said) != wanted:
        raise HipauditError(
            f"{wanted} class names for a model of {outputs} output{'s' * (outputs != 1)}",
            # Folders of patients read as class folders: their names are not for a log.
            f"{len(said)} in {source}"
            + (f": {listed(said)}" if said and source != "the data" else ""),
            _flag(wanted),
        )
    unknown = sorted(set(labels) - set(said))
    if unknown:
        raise HipauditError(
            f"labels among the model's classes ({listed(said)})",
            f"{listed(unknown) if len(unknown) <= wanted else len(unknown)} in the data",
            did_you_mean(unknown[0], list(said)) + " Name them alike, or give --classes.",
        )
    return tuple(said), notes


def _flag(wanted: int) -> str:
    if wanted == 1000:
        return "These look like ImageNet's classes: audit the fine-tuned model (or give --classes)."
    example = "negative,positive" if wanted == 2 else "first,second,…"
    return f"Give the names in the order of the outputs: --classes {example}"


def positive_class(classes: Sequence[str], said: str | None, source: str) -> tuple[str, list[Note]]:
    """The class whose detection is sensitivity. Never taken from the order of the names.

    Raises HipauditError naming the flag when neither said nor plain from the names.
    """
    if said is not None:
        if said not in classes:
            raise HipauditError(
                f"a positive class among {listed(classes)}",
                f"{quoted(said)} from {source}",
                did_you_mean(said, list(classes)),
            )
        return said, []
    ill = [name for name in classes if sounds(name) == "positive"]
    well = [name for name in classes if sounds(name) == "negative"]
    if not ill and len(classes) == 2 and len(well) == 1:
        ill = [name for name in classes if name not in well]
    if len(ill) == 1:
        text = f"Positive class taken from its name: {ill[0]}."
        return ill[0], [Note(code="positive-class", level="assumed", text=text)]
    raise HipauditError(
        "to know the positive class",
        f"names that do not say it ({listed(classes)})",
        f"Add: --positive-class {classes[-1] if len(classes) == 1 else 'NAME'}",
    )


def sounds(name: str) -> str | None:
    """ "positive", "negative" or None for names that say neither.

    >>> sounds("Fractured"), sounds("not_fractured"), sounds("class_0")
    ('positive', 'negative', None)
    """
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    if set(words) & NEGATIVE:
        return None if "abnormal" in words or set(words) & NOT else "negative"
    if not set(words) & POSITIVE:
        return None
    return "negative" if set(words) & NOT else "positive"

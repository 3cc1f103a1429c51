"""Whether the model file says that the model was chosen on the images it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.language import _, recorded
from reports.material import Material

BEST_OF_SEVERAL = "best-of-several"  # the code of a note


def chosen_on_these(material: Material) -> str:
    """What the model file says of it, or "".

    It says so by `as_published` (the images that chose the weights are those reported on), by
    `best_of` (how many models were compared) in its record of training, or in a note.
    """
    results = material.results
    said = _flat(results.model.training)
    notes = (*results.model.notes, *results.notes)
    words = [recorded(note.text) for note in notes if note.code == BEST_OF_SEVERAL]
    several = said.get("best_of")
    if isinstance(several, int) and several > 1 and not words:
        words.append(
            _(
                "The model file says that this is the best of {n} models. If it was chosen on "
                "these images, every number here is too good: new images are expected to show "
                "less."
            ).format(n=several)
        )
    if said.get("as_published") is True:
        words.append(
            _(
                "The model file says that the images which chose the weights are also those the "
                "model was judged on (as_published). If these are those images, every number here "
                "is too good."
            )
        )
    return " ".join(words)


def _flat(known: Mapping[str, Any]) -> dict[str, Any]:
    """The record and what lies one level deeper in it."""
    inner = [part for part in known.values() if isinstance(part, Mapping)]
    return {**{key: value for part in inner for key, value in part.items()}, **known}

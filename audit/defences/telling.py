"""How a defence says what it is set to."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from audit.classifier import Classifier
from audit.results import Note


def defended(
    classifier: Classifier, forward: Callable[[Tensor], Tensor], code: str, text: str
) -> Classifier:
    """The classifier answering through `forward`, with `text` among the notes of its description.

    `code` is `<defence>.<what>`: the text of such a note is part of what identifies the
    classifier (`audit.fingerprint.model_digest`), so it names every setting.
    """
    hardened = classifier.derived(forward)
    note = Note(code=code, level="info", text=text)
    told = {"notes": (*classifier.description.notes, note)}
    hardened.description = classifier.description.model_copy(update=told)
    return hardened

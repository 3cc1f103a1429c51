"""A file that holds a cascade, as the Classifier it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.cascade.assemble import classifier_of_cascade
from audit.cascade.describe import ARCHITECTURE
from audit.cascade.stored import read_cascade
from audit.checkpoints.describe import Known, classifier_of
from audit.checkpoints.network import Network
from audit.checkpoints.text import quoted
from audit.classifier import Classifier
from audit.errors import HipauditError


def loaded_cascade(content: Mapping[str, Any], known: Known) -> Classifier:
    """From the content of the file and what the user said of it. Raises HipauditError.

    What may be said of a cascade: its input size, positive class and threshold. Each link
    keeps its own normalisation.
    """
    if known.options.arch not in (None, ARCHITECTURE):
        raise HipauditError(
            f"--arch {ARCHITECTURE}, which this checkpoint says it is",
            quoted(known.options.arch),
            "Leave --arch out: the checkpoint describes itself.",
        )
    given = known.sidecar.input
    if given and (given.mean or given.std or given.range or given.channels):
        raise HipauditError(
            "a model.yaml without normalisation or channels for a cascade",
            "one with them",
            "Remove them: every link normalises for itself.",
        )
    cascade, own = read_cascade(content)
    network = Network(cascade, ARCHITECTURE, 1, logits=True)
    plain = classifier_of(network, known.with_own(own))
    told = tuple(note for note in plain.description.notes if note.code != "no-cam-layer")
    description = plain.description.model_copy(update={"notes": told})
    return classifier_of_cascade(cascade, description, device=known.options.device)

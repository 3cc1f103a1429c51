"""What `hipaudit run` does about --surrogate: other models to make attacks on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.errors import HipauditError

if TYPE_CHECKING:
    from audit.classifier import Classifier
    from audit.gate.rules import DataSettings
    from hipaudit.workflow import Understood


def check_surrogates(flags: Mapping[str, Any]) -> None:
    """Raises HipauditError, before any work, for a --surrogate that leads nowhere."""
    for one in asked(flags):
        if isinstance(one, str | Path) and not Path(one).is_file():
            raise HipauditError(
                "a model file after --surrogate", f'nothing at "{one}"', "Check the path."
            )


def asked(flags: Mapping[str, Any]) -> Sequence[Any]:
    """The models named, a single one included."""
    given = flags.get("surrogates", ())
    return given if isinstance(given, tuple) else (given,)


def surrogates(
    understood: Understood, flags: Mapping[str, Any], settings: DataSettings
) -> Mapping[str, Classifier]:
    """Each --surrogate as a classifier in the audited model's pixels and classes, by its name.

    A path is read as the audited model's is, with what its file and a model.yaml beside it say;
    --arch, --threshold and the like belong to the audited model alone. Raises HipauditError in
    one line for a model that cannot be read, knows other classes or is the audited one.
    """
    from audit.checkpoints.options import ModelOptions
    from audit.surrogates import named
    from hipaudit.workflow import read_model

    options = ModelOptions(
        classes=flags["classes"] or settings.classes,
        positive_class=flags["positive_class"] or settings.positive_class,
        device=flags["device"],
    )
    labels = understood.cases.labels
    return named([read_model(one, labels, options) for one in asked(flags)], understood.classifier)

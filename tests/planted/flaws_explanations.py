"""Heat maps that say nothing about the model, or nothing about its score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import nn

from audit.results import Results
from tests.planted.planting import Flaw, audited, named
from tests.probes import explained_models as explained

PROBE = ("explanations",)


def explained_by(module: Callable[[], nn.Module]) -> Callable[[Path], Results]:
    return audited(
        lambda: explained.classifier_of(module()),
        lambda: explained.cases(48),
        probes=PROBE,
    )


FLAWS = (
    Flaw(
        "a map that ignores the weights",
        "its map is the brightness of the picture, whatever the weights",
        "probe explanations: `explanation-not-evidence`",
        explained_by(lambda: explained.ShowsTheInput(explained.trained())),
        named("explanation-not-evidence"),
        slow=True,
    ),
    Flaw(
        "a map that ignores the score",
        "its map is a pattern on which nothing depends",
        "probe explanations: `explanation-unfaithful`",
        explained_by(lambda: explained.ShowsNothing(explained.trained())),
        named("explanation-unfaithful"),
        slow=True,
        missing="found in 5 of 6 sets of 30 cases, with others; not in these 48",
    ),
)

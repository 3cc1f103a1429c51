"""A probe examines a classifier beyond the table of predictions; this is the table of probes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.evidence import Predictions
from audit.registering import chosen, import_all
from audit.results import ProbeReport, Scalar


@dataclass(frozen=True)
class Picture:
    """A picture a probe made: PNG bytes and the words that go with it.

    `name`: file name without folder, made of case ids and words of ours only.
    """

    name: str
    png: bytes
    kind: str
    title: str
    alt: str
    caption: str = ""
    meta: dict[str, Scalar] = field(default_factory=dict)


FORWARDS = 20_000
SECONDS = 1800.0


class TimeUp(Exception):
    """A probe took longer than it may."""


@dataclass
class Examination:
    """What a probe may look at. `keep(picture)` stores a picture beside audit.json.

    `hardened`: classifiers under a defence that cannot be made anew from the given one, by name.
    `train`: the cases the model was trained on, where they were given. `forwards`: how many
    images a probe may send through the network, a backward counting two: it samples to keep to
    that, and says so. `deadline` (of `time.monotonic`): a probe asks `check_time()` in its loops.
    `measured`: case id -> quality measures, kept from one probe for the next.
    """

    classifier: Classifier
    cases: Cases
    predictions: Predictions
    seed: int
    batch_size: int
    keep: Callable[[Picture], None]
    params: dict[str, Any] = field(default_factory=dict)
    hardened: Mapping[str, Classifier] = field(default_factory=dict)
    train: Cases | None = None
    forwards: int = FORWARDS
    seconds: float = SECONDS
    deadline: float = float("inf")
    measured: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def check_time(self) -> None:
        """Raises TimeUp past the deadline; the probe is then reported as failed, by name."""
        if time.monotonic() > self.deadline:
            raise TimeUp(f"did not finish within {self.seconds:.0f} s")


Examine = Callable[[Examination], ProbeReport]
PROBES: dict[str, Examine] = {}
SETTINGS: dict[str, tuple[str, ...]] = {}


def probe(name: str, *settings: str) -> Callable[[Examine], Examine]:
    """Register `examine(examination) -> ProbeReport`. A probe that raises is reported as failed.

    `settings`: what a user may set of it; it finds them in `examination.params`.
    """

    def register(examine: Examine) -> Examine:
        PROBES[name], SETTINGS[name] = examine, settings
        return examine

    return register


def load_probes() -> dict[str, Examine]:
    import audit.probes as package

    import_all(package)
    return PROBES


def get_probe(name: str) -> Examine:
    return chosen("probe", name, load_probes())

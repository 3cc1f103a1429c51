"""Carrying out probes: one that raises is reported as failed, by name."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from audit.cases.case import Cases
from audit.classifier import Classifier
from audit.engine import Progress
from audit.errors import HipauditError
from audit.evidence import Predictions
from audit.files import write_whole
from audit.options import AuditOptions
from audit.probes.registry import (
    FORWARDS,
    SECONDS,
    Examination,
    Picture,
    TimeUp,
    get_probe,
    load_probes,
)
from audit.reasons import reason_of
from audit.results import Artefact, ProbeReport

BATCH = 32  # where nobody settled another
PART = 0.25  # of --max-time, for all probes together
FEWEST = 200  # forwards; with fewer a probe has nothing to say
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,120}\.png")


@dataclass(frozen=True)
class Allowance:
    """What one probe may spend: images through the network, and seconds until it is stopped."""

    forwards: int = FORWARDS
    seconds: float = SECONDS


def chosen_probes(options: AuditOptions) -> list[str]:
    return sorted(load_probes()) if options.probes is None else list(options.probes)


def runs_time(max_time: float, probes: Sequence[str]) -> float:
    """Seconds of `max_time` that are left for the runs."""
    return max_time * (1 - PART) if probes else max_time


def allowance(
    max_time: float | None, probes: Sequence[str], forward: float, most: int = FORWARDS
) -> Allowance:
    """At most `most` images for each probe, and of --max-time each an equal part of what it leaves
    for them; `forward`: seconds per image."""
    if max_time is None or not probes:
        return Allowance(most)
    seconds = max_time * PART / len(probes)
    paid = int(seconds / max(forward, 1e-6))
    return Allowance(max(FEWEST, min(most, paid)), max(seconds * 2, 10.0))


def examine(
    classifier: Classifier,
    cases: Cases,
    predictions: Predictions,
    folder: Path,
    options: AuditOptions,
    progress: Progress,
    hardened: Mapping[str, Classifier] | None = None,
    train: Cases | None = None,
    allowed: Allowance | None = None,
) -> tuple[list[ProbeReport], list[Artefact]]:
    """Every chosen probe's report, and the pictures they kept under folder/figures.

    `hardened`: a classifier per defence that was made beforehand, as in the engine. `train`: what
    the model was trained on.
    """
    names = chosen_probes(options)
    allowed = allowed or Allowance()
    artefacts: list[Artefact] = []
    measured: dict[str, npt.NDArray[np.float64]] = {}
    synthetic = cases.description.synthetic

    def keep(picture: Picture) -> None:
        artefacts.append(keep_picture(picture, folder, synthetic=synthetic))

    reports = []
    for ordinal, name in enumerate(names):
        progress.run(f"probe {name}", ordinal, len(names))
        params = {**options.params.get(name, {}), "images": options.images}
        sight = Examination(
            classifier,
            cases,
            predictions,
            options.seed,
            options.batch_size or BATCH,
            keep,
            params,
            hardened or {},
            train,
            allowed.forwards,
            allowed.seconds,
            time.monotonic() + allowed.seconds,
            measured,
        )
        try:
            reports.append(get_probe(name)(sight))
        except HipauditError:
            raise  # a full disk, a file that changed
        except Exception as error:  # noqa: BLE001 a probe may raise anything: it is named failed
            reason = str(error) if isinstance(error, TimeUp) else reason_of(error)[:300]
            progress.note(f"probe {name} failed: {reason}")
            reports.append(ProbeReport(probe=name, state="failed", reason=reason))
        progress.run(f"probe {name}", ordinal + 1, len(names))
    return reports, sorted(artefacts, key=lambda artefact: artefact.path)


def _marked(picture: Picture) -> Picture:
    """A picture of nobody says so in its file name and its title."""
    return replace(picture, name=f"synthetic-{picture.name}", title=f"Synthetic: {picture.title}")


def keep_picture(picture: Picture, folder: Path, *, synthetic: bool) -> Artefact:
    """Write a picture into folder/figures and describe it; a synthetic one's name says so."""
    if synthetic:
        picture = _marked(picture)
    if not _NAME.fullmatch(picture.name):
        raise ValueError(f"picture name {picture.name!r} is not made of letters, digits, . _ -")
    write_whole(folder / "figures" / picture.name, picture.png)
    return Artefact(
        path=f"figures/{picture.name}",
        kind=picture.kind,
        sha256=hashlib.sha256(picture.png).hexdigest(),
        title=picture.title,
        alt=picture.alt,
        caption=picture.caption,
        meta=picture.meta,
    )

"""Fitting one link of a cascade, or taking it as an earlier call left it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from audit.cases.case import Cases
from audit.checkpoints.load import load_classifier
from audit.checkpoints.options import ModelOptions
from audit.checkpoints.own import save_checkpoint
from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.files import sha256_of
from trainers.cascade.localise import CLASSES as PLACE
from trainers.cascade.localise import Sights, fit_localiser
from trainers.fit import fit
from trainers.progress import Progress
from trainers.recipe import Recipe, changed

KEY = "link_key"


@dataclass(frozen=True, slots=True)
class Site:
    """What the links of one cascade share: how they are fitted, where they are kept, who hears."""

    recipe: Recipe
    weights: Path | Literal["imagenet"] | None
    folder: Path | None
    device: str
    progress: Progress


class Named:
    """Progress with the link's name before every word."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name

    def run(self, run_id: str, done: int, total: int) -> None:
        self._progress.run(f"{self._name}: {run_id}", done, total)

    def note(self, text: str) -> None:
        self._progress.note(f"{self._name}: {text}")


def classifying_link(
    site: Site,
    name: str,
    train: Cases,
    val: Cases,
    classes: tuple[str, ...],
    positive_class: str,
    **changes: Any,
) -> Classifier:
    """A link that names a class: fitted by the shared recipe with `changes`, or as kept.

    With a folder its training goes on at the epoch where it was left, and the finished link is
    not fitted again. Raises HipauditError as `fit` does.
    """
    recipe = changed(site.recipe, changes)
    key = key_of(site, recipe, [*_said(train), "", *_said(val)], classes)
    kept = _kept(site, name, key, classes)
    if kept is not None:
        return kept
    module, description, _ = fit(
        recipe,
        train,
        val,
        classes=classes,
        positive_class=positive_class,
        weights=site.weights,
        folder=None if site.folder is None else site.folder / f"{name}-{key[:8]}",
        device=site.device,
        progress=Named(site.progress, name),
    )
    return _keep(site, name, key, Classifier(module, description, device=site.device))


def localising_link(site: Site, train: Sights, val: Sights, recipe: Recipe) -> Classifier:
    """The localiser: fitted, or as kept."""
    said = [hashlib.sha256(t.numpy().tobytes()).hexdigest() for t in (train.x, train.y, val.x)]
    key = key_of(site, recipe, said, PLACE)
    kept = _kept(site, "localiser", key, PLACE)
    if kept is not None:
        return kept
    module, description = fit_localiser(
        train,
        val,
        recipe,
        weights=site.weights,
        device=site.device,
        progress=Named(site.progress, "localiser"),
    )
    return _keep(site, "localiser", key, Classifier(module, description, device=site.device))


def key_of(site: Site, recipe: Recipe, images: Sequence[str], classes: Sequence[str]) -> str:
    """What must be equal for a link to be the same: recipe, images, labels, starting weights."""
    start = sha256_of(site.weights) if isinstance(site.weights, Path) else str(site.weights)
    text = json.dumps([recipe.recorded(), list(images), list(classes), start], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _said(cases: Cases) -> list[str]:
    return [f"{case.id}\t{case.label}" for case in cases]


def _kept(site: Site, name: str, key: str, classes: tuple[str, ...]) -> Classifier | None:
    """The finished link, where its file is whole and of this very fitting."""
    path = _file(site, name)
    if path is None or not path.is_file():
        return None
    try:
        found = load_classifier(path, classes, ModelOptions(device=site.device))
    except HipauditError:
        site.progress.note(f"{name}: the kept link cannot be read and is fitted again")
        return None
    if found.description.training.get(KEY) != key:
        return None
    site.progress.note(f"{name}: as fitted before")
    return found


def _keep(site: Site, name: str, key: str, link: Classifier) -> Classifier:
    """Stored, and read back: what is assembled is what a later call will find."""
    path = _file(site, name)
    if path is None:
        return link
    save_checkpoint(path, link.module, link.description, {KEY: key})
    return load_classifier(path, link.classes, ModelOptions(device=site.device))


def _file(site: Site, name: str) -> Path | None:
    return None if site.folder is None else site.folder / f"{name}.pt"

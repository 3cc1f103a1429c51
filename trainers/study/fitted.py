"""Fitting one model into its folder, once: what is already there by the same means is kept."""

from __future__ import annotations

import json
from pathlib import Path

from audit.cases.case import Cases
from audit.checkpoints.own import save_checkpoint
from audit.files import sha256_of, write_whole
from audit.store import unit_key
from trainers.fit import fit
from trainers.fitting.team import speaks
from trainers.progress import Progress
from trainers.study.member import Means, Member
from trainers.study.weights import Start, start_digest

CHECKPOINT, RECORD, TRAINING = "model.pt", "fitted.json", "training"


def fit_member(
    member: Member, folder: Path, start: Start, means: Means, progress: Progress
) -> Path:
    """`folder/model.pt`, fitted now, or found there if recipe, data and start are the same.

    The training's state and log lie in `folder/training`; an interrupted one continues at its
    epoch. Raises HipauditError as `fit` and `save_checkpoint` do.
    """
    key = fitting_key(member, start, means)
    path = folder / CHECKPOINT
    if found_fitted(folder, key):
        progress.note("already trained by the same recipe on the same data")
        return path
    recipe = means.recipe_of(member)
    module, description, _ = fit(
        recipe,
        member.train,
        member.val,
        classes=means.classes,
        positive_class=means.positive_class,
        weights=start,
        folder=folder / TRAINING,
        pixels=means.pixels,
        device=means.device,
        max_seconds=means.max_seconds,
        progress=progress,
    )
    if not speaks():
        return path  # the first process of a team writes it
    said = {
        "start_digest": start_digest(start),
        "as_published": means.as_published,
        "synthetic": means.synthetic,
    }
    save_checkpoint(path, module, description.model_copy(update={"name": member.name}), said)
    keep_fitted(folder, key)
    return path


def fitting_key(member: Member, start: Start, means: Means) -> str:
    """Hash of everything that decides the weights: recipe, start, classes, images, labels."""
    return unit_key(
        {
            "recipe": means.recipe_of(member).recorded(),
            "start": start_digest(start),
            "classes": (means.classes, means.positive_class),
            "train": content(member.train),
            "val": content(member.val),
            "max_seconds": means.max_seconds,
        }
    )


def found_fitted(folder: Path, key: str) -> bool:
    """Whether a whole checkpoint of this very fitting lies in the folder."""
    try:
        known = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        same = known["key"] == key
        return bool(same and sha256_of(folder / CHECKPOINT) == known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def keep_fitted(folder: Path, key: str) -> None:
    """Say of the checkpoint in the folder by what it was fitted."""
    sealed = {"key": key, "sha256": sha256_of(folder / CHECKPOINT)}
    write_whole(folder / RECORD, json.dumps(sealed) + "\n")


def content(cases: Cases) -> list[tuple[str, str]]:
    """What a split is to a fitting: its images and their labels."""
    return [(case.id, case.label) for case in cases]

"""Fit a cascade link by link: views, the neck, metal, and a classifier per view on the crops.

Source of the arrangement: Gale et al. 2017, arXiv:1711.06504.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from audit.cascade.assemble import ALL, assemble
from audit.cascade.describe import frame, weights_digest
from audit.cascade.link import Link
from audit.cascade.module import Cascade
from audit.cascade.stored import save_cascade
from audit.cases.case import Case, Cases
from audit.classifier import Classifier, prepare_pixels
from audit.errors import HipauditError
from audit.results import ModelDescription, Preparation
from trainers.cascade.links import Site, classifying_link, localising_link
from trainers.cascade.localise import localiser_way, sights
from trainers.cascade.places import Necks, necks_of, window_for
from trainers.cascade.relabel import METAL, cropped, metal_of, relabelled, view_of, with_view
from trainers.cascade.scores import link_scores
from trainers.fitting.scores import youden
from trainers.progress import Progress, Quiet
from trainers.recipe import Recipe, changed

__all__ = ["fit_cascade", "save_cascade"]

FEWEST = 8  # images of a kind in train, and a quarter of it in val, before a link is fitted to it
BATCH = 16


@dataclass
class Fitting:
    """A cascade under way: the splits, how they are seen, and what was left out and why."""

    site: Site
    train: Cases
    val: Cases
    classes: tuple[str, ...]
    positive: str
    frame: Preparation
    glance: int
    crop_size: int
    left_out: dict[str, str] = field(default_factory=dict)


def fit_cascade(
    train: Cases,
    val: Cases,
    *,
    classes: tuple[str, ...],
    positive_class: str,
    architecture: str | Recipe = "resnet18",
    size: int = 512,
    crop_size: int = 224,
    glance: int | None = None,
    window: float | None = None,
    routing: str = "soft",
    resize: str = "pad",
    weights: Path | Literal["imagenet"] | None = None,
    folder: Path | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    **settings: Any,
) -> tuple[Cascade, ModelDescription, dict[str, Any]]:
    """Fit every link that the data has labels for; (module, description, record).

    The view link learns the attribute `view`; the localiser learns where the neck is
    (`places.necks_of`: a phantom's ground truth, else lesion boxes, of which normal images have
    none); the metal link learns the attribute `hardware`; a branch per view learns the label on
    the crops. What has no labels is left out, and the record says why.

    `size`: side of the square frame the cascade takes, up to 1024. `crop_size`: what a branch
    sees. `glance`: what the other links see of the frame (128, or `size` if that is smaller).
    `window`: side of the crop as a share of the frame; chosen from the boxes by default.
    `architecture`, `weights`, `device`, `folder` and the settings (fields of a Recipe) are as in
    `trainers.fit.fit` and hold for every link, except that the metal link weighs its classes
    and takes Youden's threshold, and that `threshold="youden"` is found on the whole cascade.
    With a folder, finished links are reused and unfinished ones go on where they were left.

    Write the result with `save_cascade(path, module, description)`; audit it with
    `audit.cascade.assemble.classifier_of_cascade(module, description)`.
    Raises HipauditError for splits that no branch can be fitted to, and as `fit` does.
    """
    recipe, cut = _recipe(architecture, settings)
    glance = min(size, 128) if glance is None else glance
    if not 8 <= glance <= size <= 1024 or not 8 <= crop_size <= size:
        raise HipauditError(
            "8 <= glance and crop_size <= size <= 1024",
            f"glance {glance}, crop_size {crop_size}, size {size}",
        )
    site = Site(recipe, weights, folder, device, progress or Quiet())
    work = Fitting(
        site, train, val, classes, positive_class, frame(size, size, resize), glance, crop_size
    )
    view = _view_link(work)
    necks = {"train": necks_of(train), "val": necks_of(val)}
    localiser = _localiser(work, necks)
    metal = _metal_link(work)
    side = None
    if localiser is not None:
        side = window or window_for(train, necks["train"], work.frame)
    branches = _branches(work, view, localiser, side)
    if len(branches) == 1 and ALL in branches:
        view = None
    model = assemble(
        branches,
        view=view,
        localiser=localiser,
        metal=metal,
        size=size,
        resize=resize,
        window=side,
        routing=routing,
        device=device,
    )
    record = _record(work, model, necks)
    return _finished(work, model, record, cut)


def _recipe(architecture: str | Recipe, settings: Mapping[str, Any]) -> tuple[Recipe, str]:
    """The links' recipe, and how the whole cascade decides."""
    recipe = architecture if isinstance(architecture, Recipe) else Recipe(architecture)
    recipe = changed(recipe, {k: v for k, v in settings.items() if k not in ("size", "resize")})
    return changed(recipe, {"threshold": "argmax"}), recipe.threshold


def _view_link(work: Fitting) -> Classifier | None:
    train, val = (relabelled(cases, view_of) for cases in (work.train, work.val))
    reason = _too_few(train, val, work.site.recipe.batch_size)
    if reason:
        work.left_out["view"] = reason
        return None
    views = tuple(train.labels)
    val = relabelled(val, lambda case: case.label if case.label in views else None)
    return classifying_link(
        work.site, "view", train, val, views, views[0], size=work.glance,
        resize=work.frame.resize,
    )  # fmt: skip


def _metal_link(work: Fitting) -> Classifier | None:
    train, val = (relabelled(cases, metal_of) for cases in (work.train, work.val))
    reason = _too_few(train, val, work.site.recipe.batch_size)
    if reason:
        work.left_out["metal"] = reason
        return None
    return classifying_link(
        work.site, "metal", train, val, METAL, METAL[1], size=work.glance,
        resize=work.frame.resize, class_weights="balanced", metric="auroc", threshold="youden",
    )  # fmt: skip


def _too_few(train: Cases, val: Cases, batch: int) -> str:
    """Why a link cannot be fitted to these labels, or nothing."""
    if len(train) < batch:
        return f"{len(train)} images in train, less than a batch of {batch}"
    if len(train.labels) < 2:
        return f"no two kinds to tell apart in train ({', '.join(train.labels) or 'none known'})"
    counts = {"train": Counter(c.label for c in train), "val": Counter(c.label for c in val)}
    for label in train.labels:
        for split, least in (("train", FEWEST), ("val", FEWEST // 4)):
            if counts[split][label] < least:
                return (
                    f"{counts[split][label]} images of {label} in {split}, at least {least} wanted"
                )
    return ""


def _localiser(work: Fitting, necks: Mapping[str, Necks]) -> Classifier | None:
    """Fitted to the cases whose neck is known and inside the frame."""
    recipe = changed(work.site.recipe, {"size": work.glance})
    way = localiser_way(recipe)
    chosen = {}
    for split, cases in (("train", work.train), ("val", work.val)):
        known = [case for case in cases if case.id in necks[split].points]
        least = FEWEST if split == "train" else FEWEST // 4
        if len(known) < least:
            work.left_out["localiser"] = (
                f"where the neck is is known of {len(known)} images in {split}, "
                f"at least {least} wanted"
            )
            return None
        chosen[split] = known
    seen = {}
    for split, known in chosen.items():
        points = [necks[split].points[case.id] for case in known]
        found = sights(known, points, work.frame, way)
        inside = ((found.y >= 0) & (found.y <= 1)).all(1)
        seen[split] = type(found)(found.x[inside], found.y[inside])
    return localising_link(work.site, seen["train"], seen["val"], recipe)


def _branches(
    work: Fitting, view: Classifier | None, localiser: Classifier | None, side: float | None
) -> dict[str, Classifier]:
    """View -> its classifier; one for all where views cannot be told or none has enough images."""
    train, val, resize = work.train, work.val, str(work.frame.resize)
    if localiser is not None and side is not None:
        key = f"{weights_digest(Link(localiser.module, localiser.description))} {side} {work.frame}"
        train, val = (
            cropped(cases, centres(localiser, cases, work.frame), side, work.crop_size, work.frame,
                    key)
            for cases in (train, val)
        )  # fmt: skip
        resize = "squish"
    made: dict[str, Classifier] = {}
    for name in view.classes if view is not None else ():
        parts = with_view(train, name), with_view(val, name)
        reason = _too_few(*parts, work.site.recipe.batch_size)
        if reason:
            work.left_out[f"branch {name}"] = reason
            continue
        made[name] = classifying_link(
            work.site, f"branch-{name}", *parts, work.classes, work.positive,
            size=work.crop_size, resize=resize,
        )  # fmt: skip
    if made:
        return made
    only = classifying_link(
        work.site, f"branch-{ALL}", train, val, work.classes, work.positive, size=work.crop_size,
        resize=resize,
    )  # fmt: skip
    return {ALL: only}


def centres(localiser: Classifier, cases: Cases, way: Preparation) -> dict[str, Tensor]:
    """Case id -> (2,) where the localiser puts the window, as shares of the frame."""
    link = Link(localiser.module, localiser.description).to(localiser.device)
    found: dict[str, Tensor] = {}
    every: list[Case] = list(cases)
    for start in range(0, len(every), BATCH):
        part = every[start : start + BATCH]
        x = [prepare_pixels(case.load(), way).mean(0, keepdim=True) for case in part]
        with torch.no_grad():
            said = torch.sigmoid(link(torch.stack(x).to(localiser.device))).cpu()
        found.update({case.id: place for case, place in zip(part, said, strict=True)})
    return found


def _record(work: Fitting, model: Classifier, necks: Mapping[str, Necks]) -> dict[str, Any]:
    """Plain data: what each link is, what was left out and why, what val says of the links."""
    cascade = model.module
    if not isinstance(cascade, Cascade):
        raise TypeError("assemble gave another module")
    parts = {"view": cascade.view, "localiser": cascade.localiser, "metal": cascade.metal}
    links = {name: link for name, link in parts.items() if link is not None}
    for name, link in zip(cascade.wiring.branches, cascade.branches, strict=True):
        if isinstance(link, Link):
            links[f"branch {name}"] = link
    return {
        "links": {name: dict(link.description.training) for name, link in links.items()},
        "left_out": dict(work.left_out),
        "necks_from": necks["train"].origin if cascade.localiser is not None else "nowhere",
        "window": None if cascade.wiring.window is None else list(cascade.wiring.window),
        "val": link_scores(model, work.val, necks["val"]),
    }


def _finished(
    work: Fitting, model: Classifier, record: dict[str, Any], cut: str
) -> tuple[Cascade, ModelDescription, dict[str, Any]]:
    cascade = model.module
    if not isinstance(cascade, Cascade):
        raise TypeError("assemble gave another module")
    told: dict[str, Any] = {
        "training": {"cascade": record},
        "preparation_origin": "training",
        "sha256": (),
        "notes": (),
    }
    if cut == "youden":
        z = [model.predict(model.prepare(case)[None]).logits for case in work.val]
        targets = model.targets(list(work.val)).numpy()
        told["threshold"] = youden(
            np.asarray(torch.cat(z)), targets, work.classes.index(work.positive)
        )
        told["threshold_origin"] = "validation split, Youden"
    return cascade, model.description.model_copy(update=told), record

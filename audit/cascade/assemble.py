"""A cascade from classifiers at hand: `assemble`; and the Classifier any cascade is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from torch import nn

from audit.cascade.check import check_links
from audit.cascade.describe import ARCHITECTURE, frame, links_of, notes_of, weights_digest
from audit.cascade.link import Link
from audit.cascade.module import Cascade
from audit.cascade.wiring import Wiring
from audit.checkpoints.assemble import cam_module
from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.results import ModelDescription

ALL = "all"  # the name of a branch that takes every view


def assemble(
    branches: Mapping[str, Classifier] | Classifier,
    *,
    view: Classifier | None = None,
    localiser: Classifier | None = None,
    metal: Classifier | None = None,
    size: int | tuple[int, int] = 1024,
    resize: str = "pad",
    window: float | tuple[float, float] | None = None,
    routing: str = "soft",
    refer_unknown: bool = True,
    view_confidence: float | None = None,
    threshold: float | None = None,
    threshold_origin: str = "assemble",
    name: str = ARCHITECTURE,
    device: str = "cpu",
) -> Classifier:
    """One Classifier that chains these; see docs/cascade.md.

    `branches`: view name -> classifier of the label, or one classifier for every view. `view`:
    its classes are view names. `localiser`: its outputs "x", "y" and perhaps "side" are places
    (after a sigmoid) as shares of the frame. `metal`: its positive class is referred, from its
    own threshold on. `size`: of the cascade's input, (height, width) or both. `window`: side of
    the crop as a share of the frame's shorter side, or smallest and largest.
    `threshold` of the whole; by default that of the branches where they agree.
    The modules are shared with the classifiers given, not copied. Raises HipauditError for
    links that do not fit each other.
    """
    named = {ALL: branches} if isinstance(branches, Classifier) else dict(branches)
    sides = (window, window) if isinstance(window, int | float) else window
    wiring = wired(
        branches=tuple(named),
        routing=routing,
        window=sides,
        refer_unknown=refer_unknown,
        view_confidence=view_confidence,
    )
    cascade = joined(
        [link_of(one) for one in named.values()],
        wiring,
        view=_maybe(view),
        localiser=_maybe(localiser),
        metal=_maybe(metal),
    )
    height, width = (size, size) if isinstance(size, int) else size
    if threshold is None:
        threshold, threshold_origin = _agreed(named)
    first = next(iter(named.values())).description
    description = ModelDescription(
        name=name,
        architecture=ARCHITECTURE,
        classes=first.classes,
        positive_class=first.positive_class,
        threshold=threshold,
        threshold_origin=threshold_origin,
        preparation=frame(height, width, resize),
        preparation_origin="assemble",
    )
    return classifier_of_cascade(cascade, description, device=device)


def wired(**said: Any) -> Wiring:
    """A Wiring; HipauditError in one line for what it cannot be."""
    try:
        return Wiring.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the wiring"
        raise HipauditError(f"{place} of a cascade to be right", first["msg"]) from error


def joined(
    branches: list[Link],
    wiring: Wiring,
    *,
    view: Link | None = None,
    localiser: Link | None = None,
    metal: Link | None = None,
) -> Cascade:
    """The chain, once its links are known to fit. Raises HipauditError."""
    said = [link.description if link else None for link in (view, localiser, metal)]
    check_links([branch.description for branch in branches], wiring, *said)
    return Cascade(branches, wiring, view=view, localiser=localiser, metal=metal)


def classifier_of_cascade(
    cascade: Cascade, description: ModelDescription, *, device: str = "cpu"
) -> Classifier:
    """The Classifier: what is referred, the digests of the links and their notes included."""
    digests = tuple(weights_digest(link) for _, _, link in links_of(cascade))
    told = {
        "sha256": (*description.sha256, *digests),
        "parameters": sum(p.numel() for p in cascade.parameters()),
        "cam_layer": next((layer for layer in cam_layers(cascade) if layer), None),
        "notes": (*description.notes, *notes_of(cascade)),
    }
    refers = cascade.metal is not None or cascade.view is not None
    return Classifier(
        cascade,
        description.model_copy(update=told),
        device=device,
        refer=cascade.refers if refers else None,
    )


def cam_layers(cascade: Cascade) -> list[str | None]:
    """Dotted name of each branch's Grad-CAM layer in the cascade; None where it has none."""
    return [
        f"{place}.network.{link.description.cam_layer}" if link.description.cam_layer else None
        for place, _, link in links_of(cascade)
        if place.startswith("branches.")
    ]


def link_of(classifier: Classifier) -> Link:
    """A classifier as a link, its Grad-CAM layer found where nobody named it."""
    said = classifier.description
    if said.cam_layer is None:
        said = said.model_copy(update={"cam_layer": _cam_layer(classifier.module, said)})
    return Link(classifier.module, said)


def _maybe(classifier: Classifier | None) -> Link | None:
    return None if classifier is None else link_of(classifier)


def _cam_layer(module: nn.Module, said: ModelDescription) -> str | None:
    cut_body = "0" in dict(module.named_children())
    try:
        layer = cam_module(said.architecture, module, cut_body=cut_body)
        if layer is not None:
            module.get_submodule(layer)
    except (AttributeError, ValueError, HipauditError):
        return None  # no architecture of torchvision's: nobody knows its layers
    return layer


def _agreed(branches: Mapping[str, Classifier]) -> tuple[float | None, str]:
    found = {c.description.threshold: c.description.threshold_origin for c in branches.values()}
    if len(found) > 1:
        raise HipauditError(
            "one threshold for the whole cascade",
            f"{len(found)} different ones among its branches",
            "Give threshold=…, chosen on the cascade's own validation answers.",
        )
    return next(iter(found.items()))

"""What is known and what is assumed about a network, and the Classifier made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from audit.checkpoints.gradients import NO_GRADIENTS, gives_gradients
from audit.checkpoints.names import class_order, positive_class
from audit.checkpoints.network import Network
from audit.checkpoints.options import ModelOptions
from audit.checkpoints.outputs import AsLogits, look
from audit.checkpoints.picture import preparation_of
from audit.checkpoints.sidecar import Sidecar
from audit.checkpoints.text import quoted
from audit.checkpoints.unwrap import Weights
from audit.classifier import Classifier
from audit.errors import HipauditError
from audit.quality.limits import KEY, read_limits
from audit.results import ModelDescription, Note

NOTHING_SAID = Sidecar()


@dataclass(frozen=True)
class Known:
    """All that was said about a model, before anything is assumed."""

    labels: Sequence[str]
    options: ModelOptions
    sidecar: Sidecar = NOTHING_SAID
    sha256: tuple[str, ...] = ()
    container: str = "module"
    notes: tuple[Note, ...] = ()
    classes: tuple[str, ...] | None = None
    own: ModelDescription | None = None
    trusted: bool = False

    def with_weights(self, weights: Weights) -> Known:
        return replace(self, classes=weights.classes, notes=(*self.notes, *weights.notes))

    def with_own(self, own: ModelDescription) -> Known:
        return replace(self, own=own, classes=own.classes, container="hipaudit")

    def trusting(self) -> Known:
        text = "This file ran code of its own: --trust-code was given for its digest."
        note = Note(code="trusted-code", level="warning", text=text)
        return replace(self, trusted=True, notes=(*self.notes, note))


def classifier_of(network: Network, known: Known) -> Classifier:
    """The Classifier, with every assumption in its description. Raises HipauditError."""
    network.module.eval()
    way, origin, picture_notes = preparation_of(network, known.sidecar, known.own)
    declared = known.options.output or known.sidecar.output or (known.own and known.own.output)
    seen = look(network, way, declared or None)
    classes, class_notes = _classes(seen.outputs, known)
    positive, positive_notes = _positive(classes, known)
    threshold, threshold_origin = _threshold(known)
    module = network.module
    if seen.kind != "logits" or not seen.plain:
        module = AsLogits(network.module, seen.kind, classes.index(positive))
    layer, layer_notes = _cam_layer(network, known, module)
    own = known.own
    gradients = gives_gradients(module, way)
    description = ModelDescription(
        name=slug(own.name if own else network.architecture),
        architecture=network.architecture,
        sha256=known.sha256,
        container=known.container,
        trusted_code=known.trusted,
        parameters=sum(p.numel() for p in network.module.parameters()),
        classes=classes,
        positive_class=positive,
        threshold=threshold,
        threshold_origin=threshold_origin,
        preparation=way,
        preparation_origin=origin,
        output=seen.kind,
        cam_layer=layer,
        gradients=gradients,
        golden=known.sidecar.golden,
        training={**(own.training if own else {}), **_quality(known.sidecar)},
        notes=(
            *known.notes,
            *network.notes,
            *picture_notes,
            *seen.notes,
            *class_notes,
            *positive_notes,
            *layer_notes,
            *_finite(network.module),
            *([] if gradients else [NO_GRADIENTS]),
        ),
    )
    return Classifier(module, description, device=known.options.device)


def _classes(outputs: int, known: Known) -> tuple[tuple[str, ...], list[Note]]:
    choices = [
        (known.options.classes, "--classes"),
        (known.sidecar.classes, "model.yaml"),
        (known.classes, "the checkpoint"),
    ]
    said, source = next((c for c in choices if c[0] is not None), (None, ""))
    return class_order(outputs, known.labels, said, source)


def _positive(classes: tuple[str, ...], known: Known) -> tuple[str, list[Note]]:
    choices = [
        (known.options.positive_class, "--positive-class"),
        (known.sidecar.positive_class, "model.yaml"),
        (known.own.positive_class if known.own else None, "the checkpoint"),
    ]
    said, source = next((c for c in choices if c[0] is not None), (None, ""))
    return positive_class(classes, said, source)


def _threshold(known: Known) -> tuple[float | None, str]:
    """The operating point and where it comes from. Raises HipauditError outside (0, 1)."""
    given = known.options.threshold
    if given is not None:
        if not 0 < given < 1:
            raise HipauditError("a threshold between 0 and 1", f"{given:g} from --threshold")
        return given, "--threshold"
    if known.sidecar.threshold is not None:
        return known.sidecar.threshold, known.sidecar.threshold_origin or "model.yaml"
    if known.own is not None and known.own.threshold is not None:
        return known.own.threshold, known.own.threshold_origin
    return None, "argmax"


def _quality(sidecar: Sidecar) -> dict[str, Any]:
    """The limits of a model.yaml, which go before those of the training record."""
    given = sidecar.quality_limits
    return {} if given is None else {KEY: read_limits(given).as_dict()}


def _cam_layer(network: Network, known: Known, module: nn.Module) -> tuple[str | None, list[Note]]:
    """Dotted name in the classifier's module ("network.layer4.2" inside an adapter)."""
    said = known.sidecar.cam_layer
    layer = said or network.cam_layer
    if layer is None or isinstance(network.module, torch.jit.ScriptModule):
        text = f"Grad-CAM has no layer to look at in {network.architecture}."
        if not isinstance(network.module, torch.jit.ScriptModule):
            text += " Name one in model.yaml: cam_layer."
        return None, [Note(code="no-cam-layer", level="info", text=text)]
    inner = layer.removeprefix("network.")
    try:
        network.module.get_submodule(inner)
    except AttributeError as error:
        raise HipauditError(
            "cam_layer in model.yaml to name a layer of the network", quoted(layer)
        ) from error
    return (f"network.{inner}" if isinstance(module, AsLogits) else inner), []


def _finite(module: nn.Module) -> list[Note]:
    bad = [name for name, value in module.state_dict().items() if not _all_finite(value)]
    if not bad:
        return []
    text = f"{len(bad)} of the network's tensors hold NaN or infinite weights."
    return [Note(code="nan-weights", level="fault", text=text)]


def _all_finite(value: object) -> bool:
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return True
    return bool(torch.isfinite(value).all())


def slug(text: str) -> str:
    """A short name without anything a path could be made of.

    >>> slug("my_package.nets:HipNet(3)")
    'my_package-nets-HipNet-3'
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:60] or "model"

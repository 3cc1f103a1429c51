"""Grad-CAM: which regions are associated with the score. The only door to pytorch-grad-cam.

Source: Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from audit.cascade.assemble import cam_layers
from audit.cascade.module import Cascade
from audit.classifier import Classifier
from audit.probes.energy import Map, energy_findings
from audit.probes.gallery import Shown, choose, draw, outcomes
from audit.probes.registry import Examination, Picture, probe
from audit.results import Note, ProbeReport

Array = npt.NDArray[np.float32]
PER_CELL = 3
RELU = (F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)
READING = (
    "Grad-CAM shows regions associated with the score of the predicted class, at the resolution "
    "of one layer. It does not show what caused a decision, and a plausible map is no evidence "
    "that a decision is right. Each map is scaled to its own maximum."
)


class NoMap(Exception):
    """The layer gives nothing that Grad-CAM can work on."""


@probe("gradcam")
def gradcam(examination: Examination) -> ProbeReport:
    """A gallery by TP, FP, FN, TN and by view, and the share of the map inside lesion boxes.

    Maps are of the predicted class, by the deployed rule. Cells hold the first `per_cell`
    cases (3) in a seeded order; cases with text burned into the image are shown nowhere.
    "Not applicable" without gradients or without a convolutional layer to look at.
    """
    classifier = examination.classifier
    layer = classifier.description.cam_layer
    if layer is None or not classifier.has_gradients:
        missing = "gradients" if layer else "convolutional layer to look at"
        reason = f"the classifier has no {missing}"
        return ProbeReport(probe="gradcam", state="not applicable", reason=reason)
    cases = examination.cases.by_id()
    found = outcomes(examination.predictions)
    chosen, cells = choose(found, cases, examination)
    try:
        cam = grad_cam(classifier)
        if examination.params.get("images", True):
            for place in chosen:
                examination.keep(_picture(place, examination, cam))
        findings = energy_findings(found, examination, cam)
    except NoMap as error:
        return ProbeReport(probe="gradcam", state="not applicable", reason=str(error))
    details = {
        "layer": layer,
        "target": "predicted class",
        "rule": f"first {examination.params.get('per_cell', PER_CELL)} of each outcome and view "
        "in seeded order",
        "seed": examination.seed,
        "cells": cells,
    }
    notes = [Note(code="gradcam.reading", level="info", text=READING)]
    hidden = sum(case.burned_in is True for case in examination.cases)
    if hidden:
        some = "1 case" if hidden == 1 else f"{hidden} cases"
        text = f"{some} with text burned into the image left out of the gallery."
        notes.append(Note(code="gradcam.burned-in", level="info", text=text))
    return ProbeReport(
        probe="gradcam", findings=tuple(findings), notes=tuple(notes), details=details
    )


def _picture(place: Shown, examination: Examination, cam: Map) -> Picture:
    classifier, case = examination.classifier, examination.cases.by_id()[place.case]
    x = classifier.prepare(case)
    return draw(place, case, x, cam(x, place.predicted), classifier, examination.seed)


def grad_cam(classifier: Classifier) -> Map:
    """A function (x (1 or 3, H, W), class index) -> Grad-CAM map (h, w) >= 0 of one image.

    relu(Σ_k mean(∂z/∂A_k) · A_k) for that class's logit z at `description.cam_layer`, at the
    layer's own size and not scaled: all zeros means no positive evidence. Where a ReLU takes
    the layer's output directly (DenseNet's `features`), A is the output of that ReLU. The
    function raises NoMap where the layer does not give one map per image. Of a cascade, the map
    is that of the branch that weighs most for the image, in the frame (H, W), zero outside the
    crop.
    """
    if isinstance(classifier.module, Cascade):
        return _through_the_crop(classifier, classifier.module)
    return _at(classifier, str(classifier.description.cam_layer))


def _through_the_crop(classifier: Classifier, cascade: Cascade) -> Map:
    """The map of the branch that weighs most, put back where the crop was taken from."""
    layers = cam_layers(cascade)

    def cam(x: Tensor, target: int) -> Array:
        grey = x.mean(0, keepdim=True)[None].to(classifier.device)
        with torch.no_grad():
            layer = layers[int(cascade.branch_of(grey)[0])]
            if layer is None:
                raise NoMap("a branch of the cascade has no convolutional layer to look at")
        heat = _at(classifier, layer)(x, target)
        with torch.no_grad():
            back = cascade.map_in_frame(torch.from_numpy(heat), grey)
        return np.asarray(back.cpu().numpy(), dtype=np.float32)

    return cam


def _at(classifier: Classifier, layer: str) -> Map:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    watched = _Watched(classifier, layer)

    def cam(x: Tensor, target: int) -> Array:
        wanted = [ClassifierOutputTarget(target)]
        tool = GradCAM(watched, [watched.seen])
        kept = tool.activations_and_grads
        try:
            tool(_needing_grad(x), wanted)
            if len(kept.activations) != 1 or len(kept.gradients) != 1:
                raise NoMap(f"the layer {watched.name} is used {len(kept.activations)} times")
            activations, gradients = kept.activations[0].numpy(), kept.gradients[0].numpy()
            heat = tool.get_cam_image(x[None], watched.seen, wanted, activations, gradients)
        finally:
            kept.release()
        return np.maximum(np.asarray(heat[0], dtype=np.float32), 0)

    return cam


def _needing_grad(x: Tensor) -> Tensor:
    """The weights need no gradient, so the image must, or nothing would be recorded."""
    return x[None].detach().clone().requires_grad_(True)


class _Watched(nn.Module):
    """The classifier as a module in which the wanted activation passes through `seen`.

    What follows gets a copy, so that an in-place operation after the layer (VGG's, AlexNet's
    and DenseNet's ReLUs) cannot overwrite what was seen.
    """

    def __init__(self, classifier: Classifier, layer: str) -> None:
        super().__init__()
        self.module = classifier.module  # pytorch-grad-cam asks for the parameters' device
        self.name = layer
        self.layer = [classifier.module.get_submodule(self.name)]  # not registered twice
        self.ask = classifier.logits
        self.seen = nn.Identity()
        self.through_relu: bool | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.through_relu is None:
            self.through_relu = self._feeds_a_relu(x)
        if not self.through_relu:
            with _hooked(self.layer[0], lambda output: self.seen(output).clone()):
                return self.ask(x)
        catcher = _Relu(lambda output: self.seen(F.relu(output)).clone())
        with _hooked(self.layer[0], catcher.mark), catcher:
            return self.ask(x)

    def _feeds_a_relu(self, x: Tensor) -> bool:
        catcher = _Relu(F.relu)
        with torch.no_grad(), _hooked(self.layer[0], catcher.mark), catcher:
            self.ask(x)
        if catcher.marked is None or catcher.marked.ndim != 4:
            raise NoMap(f"the layer {self.name} gives no map of height and width")
        return catcher.caught


class _Relu(TorchFunctionMode):
    """Answers the ReLU that takes the marked tensor by `answer`; leaves all else alone."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer
        self.marked: Tensor | None = None
        self.caught = False

    def mark(self, output: Any) -> Any:
        self.marked = output if isinstance(output, Tensor) else None
        return output

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # signature given by torch
        if func in RELU and args and args[0] is self.marked:
            self.caught, self.marked = True, args[0]
            return self.answer(args[0])  # the mode is off in here: torch pops it
        return func(*args, **(kwargs or {}))


@contextmanager
def _hooked(layer: nn.Module, answer: Any) -> Iterator[None]:
    handle = layer.register_forward_hook(lambda _module, _given, output: answer(output))
    try:
        yield
    finally:
        handle.remove()

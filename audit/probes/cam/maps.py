"""Grad-CAM and Score-CAM of a classifier. The only door to pytorch-grad-cam.

Sources: Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74 (Grad-CAM); Wang et al. 2020,
arXiv:1910.01279 (Score-CAM).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from audit.cascade.assemble import cam_layers
from audit.cascade.module import Cascade
from audit.classifier import Classifier
from audit.probes.cam.watched import NoMap, Watched

Array = npt.NDArray[np.float32]
Map = Callable[[Tensor, int], Array]
CHANNELS = 24  # masks of a Score-CAM map, a forward each
BATCH = 16


def grad_cam(classifier: Classifier, *, signed: bool = False) -> Map:
    """A function (x (1 or 3, H, W), class index) -> Grad-CAM map (h, w) >= 0 of one image.

    relu(Σ_k mean(∂z/∂A_k) · A_k) for that class's logit z at `description.cam_layer`, at the
    layer's own size and not scaled: all zeros means no positive evidence. `signed`: without
    that relu. Where a ReLU takes the layer's output directly (DenseNet's `features`), A is the
    output of that ReLU. The function raises NoMap where the layer does not give one map per
    image. Of a cascade, the map is that of the branch that weighs most for the image, in the
    frame (H, W), zero outside the crop.
    """
    if isinstance(classifier.module, Cascade):
        found = _through_the_crop(classifier, classifier.module)
    else:
        found = _at(classifier, str(classifier.description.cam_layer))
    return found if signed else lambda x, target: np.maximum(found(x, target), 0)


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

    watched = Watched(classifier, layer)

    def cam(x: Tensor, target: int) -> Array:
        wanted = [ClassifierOutputTarget(target)]
        tool = GradCAM(watched, [watched.seen])
        kept = tool.activations_and_grads
        try:
            # As the tool does when it is called; but it would make a map of its own besides.
            wanted[0](kept(_needing_grad(x))[0]).backward()
            if len(kept.activations) != 1 or len(kept.gradients) != 1:
                raise _times(watched, len(kept.activations))
            activations, gradients = kept.activations[0].numpy(), kept.gradients[0].numpy()
            heat = tool.get_cam_image(x[None], watched.seen, wanted, activations, gradients)
        finally:
            kept.release()
        return np.asarray(heat[0], dtype=np.float32)

    return cam


def _needing_grad(x: Tensor) -> Tensor:
    """The weights need no gradient, so the image must, or nothing would be recorded."""
    return x[None].detach().clone().requires_grad_(True)


def _times(watched: Watched, times: int) -> NoMap:
    return NoMap(f"the layer {watched.name} is used {times} times")


def score_cam(classifier: Classifier, *, channels: int = CHANNELS) -> Map:
    """A function (x (1 or 3, H, W), class index) -> Score-CAM map (h, w) of one image.

    Σ_k softmax_k(z(x · M_k)) · A_k, where M_k is channel A_k of `description.cam_layer` enlarged
    and scaled to [0, 1]: no gradient is asked for. Only the `channels` that vary most over the
    image are looked at; with as many as the layer has, it is the map of the paper as
    pytorch-grad-cam computes it. Raises NoMap as `grad_cam` does.
    """
    from pytorch_grad_cam.base_cam import BaseCAM

    class Masked(BaseCAM):  # type: ignore[misc]  # the library has no types
        """As its ScoreCAM, for some of the channels and without a bar on the terminal."""

        def get_cam_weights(
            self, x: Tensor, _layer: Any, targets: Any, activations: Array, _gradients: Any
        ) -> Array:
            return _answers(self.model, x, int(targets[0]), activations, channels)

    watched = Watched(classifier, str(classifier.description.cam_layer))

    def cam(x: Tensor, target: int) -> Array:
        tool = Masked(watched, [watched.seen], uses_gradients=False)
        kept = tool.activations_and_grads
        try:
            with torch.no_grad():
                kept(x[None])
                if len(kept.activations) != 1:
                    raise _times(watched, len(kept.activations))
                activations = kept.activations[0].numpy()
                heat = tool.get_cam_image(x[None], watched.seen, [target], activations, None)
        finally:
            kept.release()
        return np.asarray(heat[0], dtype=np.float32)

    return cam


def _answers(
    model: Callable[[Tensor], Tensor], x: Tensor, target: int, activations: Array, channels: int
) -> Array:
    """(1, K) weights of the channels, by what the model says of x (1, C, H, W) seen through each.

    Zero for those that were not asked.
    """
    wide = F.interpolate(
        torch.from_numpy(activations), x.shape[-2:], mode="bilinear", align_corners=True
    )[0]
    order = activations[0].std(axis=(1, 2)).argsort(kind="stable")[::-1]
    asked = np.sort(order[:channels])
    masks = wide[torch.from_numpy(asked)]
    low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    seen = x * ((masks - low) / (high - low + 1e-8))[:, None]
    parts = torch.split(seen, BATCH)
    said = torch.cat([model(part)[:, target].float().cpu() for part in parts])
    weights = np.zeros((1, len(order)), dtype=np.float32)
    weights[0, asked] = said.softmax(0).numpy()
    return weights

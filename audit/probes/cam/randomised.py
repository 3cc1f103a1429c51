"""A copy of a classifier with randomised weights: the control of every heat map."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from audit.cascade.module import Cascade
from audit.classifier import Classifier
from audit.draws import generator


def randomised(classifier: Classifier, images: Sequence[Tensor], seed: int) -> Classifier:
    """A copy of which every weight is drawn anew; the classifier itself is not touched.

    Each tensor of parameters is replaced by normal draws of the same root mean square, and
    normalisation layers measure their statistics anew on `images` (one shape), so that the copy
    is a network of the same scale that has learnt nothing. Of a cascade only the branches change:
    where they look would change with the rest. Source: Adebayo et al. 2018, arXiv:1810.03292.
    """
    module = copy.deepcopy(classifier.module)
    changed = module.branches if isinstance(module, Cascade) else module
    with torch.no_grad():
        for name, weights in changed.named_parameters():
            size = float(weights.float().square().mean().sqrt())
            drawn = generator(seed, "randomised weights", name).normal(0, size, weights.shape)
            weights.copy_(torch.from_numpy(drawn))
    control = Classifier(module, classifier.description, device=str(classifier.device))
    _measure(control, changed, images)
    return control


def _measure(control: Classifier, changed: nn.Module, images: Sequence[Tensor]) -> None:
    """Statistics of the normalisation layers over the images; nothing to do without any."""
    layers = [
        layer
        for layer in changed.modules()
        if isinstance(layer, _BatchNorm) and layer.track_running_stats
    ]
    if not layers or len(images) < 2:
        return
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean of what follows
        layer.train()
    with torch.no_grad():
        control.logits(torch.stack(list(images)))
    for layer in layers:
        layer.eval()

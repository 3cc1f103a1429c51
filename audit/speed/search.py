"""The network that searches: the same function as the audited one, computed faster.

Attacks search with it; what they find is judged by the untouched float32 network. `fused`:
batch norm folded into the convolution before it, weights channels last. `compiled`: that,
through torch.compile. `bf16`: that, in bfloat16 where the hardware computes it.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from audit.classifier import Classifier

HOW = ("exact", "fused", "compiled", "bf16")
# Beyond this part of the largest logit it is another function (a layer that is used twice, say).
STRANGE = 1e-3
# A decision this close to the boundary is asked of the untouched network, whatever the drift.
LEAST_TOLERANCE = 1e-4
# A screen that sends more than this share to the judge is one more look at everything.
MOST_DOUBTED = 0.5


@dataclass(frozen=True)
class Search:
    """`classifier` searches; `drift`: largest difference of a logit from the untouched network's
    on the images of the trial, relative to the largest logit or 1; `tolerance`: margins below
    it, in the same measure, are not trusted. `sieve`: what screens candidates in its place, where
    it could trust itself too rarely."""

    classifier: Classifier
    how: str = "exact"
    drift: float = 0.0
    sieve: Search | None = None

    @property
    def tolerance(self) -> float:
        return max(LEAST_TOLERANCE, 10 * self.drift)

    @property
    def screen(self) -> Search:
        return self.sieve or self

    def doubted(self, x: Tensor) -> float:
        """Share of the images x whose decision the drift could change: they go before the judge."""
        with self.classifier.uncounted():
            logits = self.classifier.predict(x).logits
        return float(doubtful(self.classifier, logits, self.tolerance).mean())


def doubtful(classifier: Classifier, logits: Tensor, tolerance: float) -> npt.NDArray[np.bool_]:
    """(M, K) -> (M,): a drift of `tolerance` could bridge the margin; two logits may move."""
    best = classifier.shifted(logits).topk(2, dim=1).values
    size = logits.abs().amax(1).clamp_min(1.0)
    return np.asarray((best[:, 0] - best[:, 1] <= 2 * tolerance * size).cpu().numpy())


def search_with(classifier: Classifier, x: Tensor, how: str = "fused") -> Search:
    """A search network of the given kind, or the classifier itself where that cannot be made.

    x (N, C, H, W) in [0, 1]: images of the audit on which the drift is measured.
    """
    if how == "exact" or not classifier.plain:
        return Search(classifier)
    made = quickened(classifier)
    if made is classifier:
        return Search(classifier)
    off = drift(classifier, made, x)
    if not off <= STRANGE:
        return Search(classifier)
    sieve = None
    if how == "compiled":
        made = made.through(Bucketed(_compiled(made.module)))
    elif how == "bf16":
        sieve = Search(made, "fused", off)
        made = made.through(InBfloat16(made.module, classifier.device.type))
    if how != "fused":
        off = drift(classifier, made, x)
    if how != "compiled" and classifier.device.type == "cuda":
        made = made.through(Bucketed(made.module))
    if not math.isfinite(off):
        return Search(classifier)
    found = Search(made, how, off)
    made.tolerance = 2 * found.tolerance  # two logits may move
    if sieve is not None and found.doubted(x) > MOST_DOUBTED:
        return replace(found, sieve=sieve)
    return found


def rounded_up(value: float) -> float:
    """To a power of ten, so that it is the same on every run; 0 stays 0.

    >>> rounded_up(3.2e-7), rounded_up(0.0)
    (1e-06, 0.0)
    """
    return 10.0 ** math.ceil(math.log10(value)) if value > 0 else 0.0


def drift(classifier: Classifier, other: Classifier, x: Tensor) -> float:
    """Largest difference of a logit on x, as a part of the largest logit or of 1; NaN if any is."""
    with classifier.uncounted(), torch.no_grad():
        ours, theirs = classifier.logits(x), other.logits(x)
    return float((ours - theirs).abs().max() / ours.abs().max().clamp_min(1.0))


def quickened(classifier: Classifier) -> Classifier:
    """The classifier over a copy of its module: conv–BN fused, weights channels last.

    The classifier itself where there is nothing to gain (no convolution), where its module is a
    program that cannot be rewritten, or where it is not plain.
    """
    module = classifier.module
    if not classifier.plain or isinstance(module, torch.jit.ScriptModule):
        return classifier
    if not any(isinstance(part, nn.Conv2d) for part in module.modules()):
        return classifier
    network = fused(module).to(memory_format=torch.channels_last)
    for weight in network.parameters():
        weight.requires_grad_(False)
    return classifier.through(network)


def fused(module: nn.Module) -> nn.Module:
    """A copy in eval mode with each batch norm folded into the convolution it follows.

    A plain copy where the module cannot be traced. Source: torch.fx.experimental.optimization.
    """
    from torch.fx.experimental.optimization import fuse

    clean = copy.deepcopy(module).eval()
    try:
        traced: nn.Module = fuse(clean, no_trace=False)
    except Exception:  # noqa: BLE001 tracing runs somebody's forward, which may raise anything
        return clean
    return traced.eval()


class Bucketed(nn.Module):
    """Batches filled up with zeros to a power of two, so that a network meets few shapes.

    The active set of an attack shrinks by one case at a time; a compiled network would be
    compiled anew for every size, and a GPU would choose its kernels and capture its graph anew.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        rows = len(x)
        missing = 2 ** (rows - 1).bit_length() - rows if rows else 0
        if missing:
            x = torch.cat([x, x.new_zeros(missing, *x.shape[1:])])
        logits: Tensor = self.module(x)
        return logits[:rows]


def _compiled(module: nn.Module) -> nn.Module:
    return cast(nn.Module, torch.compile(module, dynamic=False))


class InBfloat16(nn.Module):
    """Autocast around a network; logits come back in float32.

    `float32`: the network it was made from. Weights of convolutions and linear layers are cast
    once, here: autocast would cast those that learn nothing anew at every pass.
    """

    def __init__(self, module: nn.Module, device: str) -> None:
        super().__init__()
        self._made_from = (module,)  # in a tuple: no part of this network
        self.module, self.device_type = copy.deepcopy(module), device
        for part in self.module.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                part.to(torch.bfloat16)

    @property
    def float32(self) -> nn.Module:
        return self._made_from[0]

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(self.device_type, dtype=torch.bfloat16):
            logits: Tensor = self.module(x)
        return logits.float()

"""Scoring single pixels by recomputing only what they reach."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from audit.classifier import Classifier
from audit.speed.local_graph import traced
from audit.speed.local_plan import plan
from audit.speed.local_run import Compiled, LocalImage
from audit.speed.search import InBfloat16
from audit.stresses.registry import Attackable

# Below this ratio of operations, gathering patches costs what the rest saves.
LEAST_GAIN = 2.0
# Local updates are made in float32: where whole images go through in bfloat16, which takes a half
# to a quarter of the time, they must save more.
LEAST_GAIN_BESIDE_BF16 = 3.5
# Largest difference of a logit from the whole network's, as a part of the largest logit or 1.
TOLERANCE = 1e-4

Score = Callable[[Tensor, Tensor, Tensor], Tensor]
_KNOWN: WeakKeyDictionary[nn.Module, dict[object, Compiled | None]] = WeakKeyDictionary()


def local_scorer(model: Attackable, x: Tensor, *, least_gain: float = LEAST_GAIN) -> Score | None:
    """A `PixelScorer` for `x` (C, H, W) with one pixel per candidate (k = 1).

    None where there is nothing to gain or the network cannot be followed: another model than a
    plain Classifier, a ratio of operations below `least_gain`, a module that cannot be traced, or
    logits that differ from the whole network's on a trial of five candidates.
    """
    if not isinstance(model, Classifier) or not model.plain:
        return None
    if isinstance(model.module, InBfloat16):
        model = model.through(model.module.float32)
        least_gain = max(least_gain, LEAST_GAIN_BESIDE_BF16)
    known = _KNOWN.setdefault(model.module, {})
    normal = model.normalised(x[None].to(model.device))
    key = (least_gain, tuple(normal.shape), *_state(model))
    if key not in known:
        known.clear()  # an older state of the weights will not come back
        compiled = _compiled(model, tuple(normal.shape[1:]), least_gain)
        if compiled is not None and not _agrees(model, x, _scorer(model, compiled, normal)):
            compiled = None
        known[key] = compiled
    compiled = known[key]
    return None if compiled is None else _scorer(model, compiled, normal)


def _state(model: Classifier) -> tuple[object, ...]:
    """Changes whenever weights are written to, moved or converted."""
    held = [*model.module.parameters(), *model.module.buffers()]
    versions = sum(part._version for part in held if not part.is_inference())
    return (model.device, versions, *{(str(part.device), str(part.dtype)) for part in held})


def _compiled(model: Classifier, shape: tuple[int, ...], least_gain: float) -> Compiled | None:
    network = traced(model.module, shape)
    if network is None:
        return None
    found = plan(network)
    return Compiled(found, model.device) if found.gain >= least_gain else None


def _scorer(model: Classifier, compiled: Compiled, normal: Tensor) -> Score:
    image: LocalImage | None = None

    def score(rows: Tensor, cols: Tensor, values: Tensor) -> Tensor:
        nonlocal image
        with torch.no_grad():
            if image is None:
                image = LocalImage(compiled, normal)
            levels = values[:, 0, :, None, None].to(model.device)
            wanted = model.normalised(levels).flatten(1)
            model.count(len(rows))
            down, right = rows[:, 0].to(model.device), cols[:, 0].to(model.device)
            return model.shifted(image.logits(down, right, wanted)).float().cpu()

    return score


def _agrees(model: Classifier, x: Tensor, score: Score) -> bool:
    """Corners and centre, each set to black or white: the same logits as by whole images."""
    height, width = x.shape[-2:]
    rows = torch.tensor([0, 0, height - 1, height - 1, height // 2])
    cols = torch.tensor([0, width - 1, 0, width - 1, width // 2])
    values = (x[:, rows, cols].T < 0.5).to(x.dtype)[:, None]
    images = x.repeat(len(rows), 1, 1, 1)
    images[torch.arange(len(rows)), :, rows, cols] = values[:, 0]
    with model.uncounted(), torch.no_grad():
        whole = model.decision_logits(images).float().cpu()
        difference = (score(rows[:, None], cols[:, None], values) - whole).abs().max()
    return bool(difference <= TOLERANCE * whole.abs().max().clamp_min(1.0))

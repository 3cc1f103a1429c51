"""What an attack asks of a model: margins, and the gradient of a loss that does not saturate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from audit.errors import StressFailed
from audit.stresses.registry import Attackable

# logits (N, K), true classes (N,) -> (N,), larger = closer to another decision
Loss = Callable[[Tensor, Tensor], Tensor]
# Part of the largest logit (or of 1): a decision surer than this stays what it is when it is
# asked again in another batch, or of the same weights with batch norm folded in.
CLEAR = 2e-4


@dataclass(frozen=True)
class Seen:
    """`loss` (N,); `gradient` like x; `margin` (N,): top other logit - true logit, in parts of
    the largest logit where that is above 1. Above 0: decided otherwise."""

    loss: Tensor
    gradient: Tensor
    margin: Tensor


def device_of(model: Attackable) -> torch.device:
    """Where the model computes; the CPU where it does not say."""
    return torch.device(getattr(model, "device", "cpu"))


def clear_margin(model: Attackable, least: float = CLEAR) -> float:
    """Margins from here on count as fooled in a search; the engine has the last word."""
    return max(least, float(getattr(model, "tolerance", 0.0)))


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """log(sum of the other classes) - true logit = m, of which cross-entropy is softplus(m).

    Softplus rises with m, so the order of any two losses and the direction of every image's
    gradient are those of cross-entropy; but m keeps its gradient where a model is "100% sure"
    and softplus(m) has lost it in float32 (from about m = -17 on, all of it at -104).
    """
    true = F.one_hot(y, logits.shape[1]).bool()
    return torch.logsumexp(logits.masked_fill(true, -torch.inf), 1) - logits[true]


def difference_of_logits_ratio(logits: Tensor, y: Tensor) -> Tensor:
    """(top other - true) / (first - third logit): unchanged when all logits are scaled.

    Needs three classes. Source: Croce & Hein 2020, arXiv:2003.01690, equation 6.
    """
    top = logits.topk(3, dim=1).values
    return _gap(logits, y) / (top[:, 0] - top[:, 2] + 1e-12)


def look(model: Attackable, x: Tensor, y: Tensor, loss: Loss = cross_entropy) -> Seen:
    """One forward and one backward. StressFailed where logits or gradient are not finite."""
    leaf = x.detach().requires_grad_(True)
    logits = _logits(model, leaf)
    losses = loss(logits, y)
    (gradient,) = torch.autograd.grad(losses.sum(), leaf)
    # a sum of float32 in float64 is finite unless one of them is not
    if not torch.isfinite(gradient.sum(dtype=torch.float64)):
        raise StressFailed("the model's gradient is not finite inside the attack")
    return Seen(losses.detach(), gradient, _margin(logits.detach(), y))


def ask(model: Attackable, x: Tensor, y: Tensor) -> Tensor:
    """One forward -> (N,) margins as in `Seen`. StressFailed where logits are not finite."""
    with torch.no_grad():
        return _margin(_logits(model, x), y)


def _logits(model: Attackable, x: Tensor) -> Tensor:
    logits = model.decision_logits(x).float().to(x.device)
    if not torch.isfinite(logits).all():
        raise StressFailed("the model's logits are not finite inside the attack")
    return logits


def _margin(logits: Tensor, y: Tensor) -> Tensor:
    return _gap(logits, y) / logits.abs().amax(1).clamp_min(1.0)


def _gap(logits: Tensor, y: Tensor) -> Tensor:
    true = F.one_hot(y, logits.shape[1]).bool()
    return logits.masked_fill(true, -torch.inf).amax(1) - logits[true]

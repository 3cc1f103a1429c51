"""Adversarial examples for training: crafted in pixels, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from trainers.adversarial.settings import Adversarial

Forward = Callable[[Tensor], Tensor]


def mixed_batch(
    module: nn.Module,
    forward: Forward,
    x: Tensor,
    y: Tensor,
    settings: Adversarial,
    *,
    draw: Generator,
    progress_of_training: float,
) -> Tensor:
    """(N, C, H, W) with its first `settings.crafted(N)` images replaced by adversarial ones.

    The first of a shuffled batch are a random choice. `forward` answers through `module`
    (unwrapped of DDP), which is left as it was found: see `crafting`.
    """
    count = settings.crafted(len(x))
    with crafting(module):
        made = adversarial_batch(
            forward,
            x[:count],
            y[:count],
            settings,
            draw=draw,
            progress_of_training=progress_of_training,
        )
    return torch.cat([made, x[count:]])


def adversarial_batch(
    forward: Forward,
    x: Tensor,
    y: Tensor,
    settings: Adversarial,
    *,
    draw: Generator,
    progress_of_training: float,
) -> Tensor:
    """An adversarial example of every image: within ε of x, in [0, 1], detached, x's dtype.

    `forward`: pixels x (N, C, H, W) in [0, 1] -> logits (N, K), with normalisation and the
    expansion of grey inside, so that a grey image stays grey. `y` (N,): true classes, the loss
    that is raised is their cross-entropy. `draw`: a generator on the CPU; the random start is
    the same whatever the device. `progress_of_training` in [0, 1] sets ε on its ramp.
    No gradient is left in any parameter. Sources: see `Adversarial`.
    """
    epsilon = settings.epsilon_at(progress_of_training)
    if epsilon == 0 or len(x) == 0:
        return x.detach()
    x = x.detach()
    delta = torch.zeros_like(x)
    if settings.starts_at_random:
        # Drawn on the CPU in float32, so that devices and precisions share their starts.
        start = torch.rand(x.shape, generator=draw) * 2 - 1
        delta = (start * epsilon).to(device=x.device, dtype=x.dtype)
    for _ in range(settings.gradients):
        delta = (x + delta).clamp(0, 1) - x
        delta = delta + settings.step * epsilon * _gradient(forward, x + delta, y).sign()
        delta = delta.clamp(-epsilon, epsilon)
    return (x + delta).clamp(0, 1)


def _gradient(forward: Forward, x: Tensor, y: Tensor) -> Tensor:
    """Of the summed cross-entropy: a mean over the batch could underflow in half precision."""
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        loss = F.cross_entropy(forward(x).float(), y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
    return gradient


@contextmanager
def crafting(module: nn.Module) -> Iterator[None]:
    """`module` in eval mode and without weight gradients for as long as examples are made.

    Eval mode: what is attacked is the network as it will be used, its running statistics are
    not moved by half-made examples, and dropout does not blur the gradient; it also costs less
    clean accuracy than crafting in training mode (Pang et al. 2021, "Bag of tricks for adversarial
    training", arXiv:2010.00467). Every part's own mode and every parameter's own flag are put
    back.
    """
    modes = [(part, part.training) for part in module.modules()]
    wanted = [parameter for parameter in module.parameters() if parameter.requires_grad]
    module.eval()
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)
        for part, mode in modes:
            part.training = mode

"""What adversarial training achieved so far, and whether one-step training broke down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import Generator, Tensor, nn

from trainers.adversarial.examples import Forward, adversarial_batch, crafting
from trainers.adversarial.settings import Adversarial

MOST = 256  # validation images looked at; ten gradients each, every epoch
STEPS = 10
# One-step training that breaks down does so within an epoch, from tens of percent to nearly 0
# (Wong et al. 2020, figure 3; Andriushchenko and Flammarion 2020, arXiv:2007.02617).
COLLAPSE = 0.2


@dataclass(frozen=True, slots=True)
class Strength:
    """Shares of validation images decided rightly (argmax), at the full ε of the settings.

    `clean` without attack, `fgsm` under one step, `pgd` under ten from a random start; `n` images.
    """

    clean: float
    fgsm: float
    pgd: float
    n: int

    @property
    def balanced(self) -> float:
        """Mean of clean and PGD accuracy: what the epoch is chosen by."""
        return (self.clean + self.pgd) / 2

    def recorded(self) -> dict[str, float]:
        return asdict(self)

    def __str__(self) -> str:
        """
        >>> str(Strength(clean=0.9, fgsm=0.5, pgd=0.25, n=40))
        'clean 90.0%, FGSM 50.0%, PGD 25.0%'
        """
        return f"clean {self.clean:.1%}, FGSM {self.fgsm:.1%}, PGD {self.pgd:.1%}"


def strength(
    module: nn.Module,
    forward: Forward,
    x: Tensor,
    y: Tensor,
    settings: Adversarial,
    *,
    batch_size: int = 32,
    seed: int = 0,
) -> Strength:
    """Accuracies on the first 256 images of x (N, C, H, W) in [0, 1]; the module is left as found.

    The same seed starts PGD at the same places each time, so that epochs compare.
    """
    x, y = x[:MOST], y[:MOST]
    reach = replace(settings, ramp=0.0, step_size=None)
    attacks = {
        "fgsm": replace(reach, method="fgsm"),
        "pgd": replace(reach, method="pgd", steps=STEPS, random_start=True),
    }
    draw = Generator().manual_seed(seed)
    right = dict.fromkeys(("clean", *attacks), 0)
    with crafting(module):
        for some, truth in zip(torch.split(x, batch_size), torch.split(y, batch_size), strict=True):
            right["clean"] += _right(forward, some, truth)
            for name, attack in attacks.items():
                made = adversarial_batch(
                    forward, some, truth, attack, draw=draw, progress_of_training=1.0
                )
                right[name] += _right(forward, made, truth)
    n = len(y)
    return Strength(**{name: count / n for name, count in right.items()}, n=n)


def _right(forward: Forward, x: Tensor, y: Tensor) -> int:
    with torch.no_grad():
        return int((forward(x).argmax(1) == y).sum())


def collapsed(history: Sequence[Strength]) -> bool:
    """Catastrophic overfitting: PGD accuracy fell by 20 points or more below its best so far
    while FGSM accuracy did not fall: the network learned to blunt the single step only.
    """
    if len(history) < 2:
        return False
    best = max(history[:-1], key=lambda found: found.pgd)
    now = history[-1]
    return best.pgd - now.pgd >= COLLAPSE and now.fgsm >= best.fgsm


def warning(settings: Adversarial, epoch: int, found: Strength) -> str:
    """What a person is told when `collapsed`."""
    return (
        f"epoch {epoch}: catastrophic overfitting to one-step attacks: accuracy under PGD fell to "
        f"{found.pgd:.0%} while under FGSM it is {found.fgsm:.0%}. An earlier epoch is kept; a "
        f"smaller epsilon than {settings.epsilon * 255:.3g}/255 or the method pgd avoids it."
    )

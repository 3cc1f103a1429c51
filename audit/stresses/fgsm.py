"""FGSM: one signed-gradient step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.stresses.art_bridge import fast_gradient
from audit.stresses.radii import radii
from audit.stresses.registry import Altered, Attackable, Batch, stress


@stress(
    "fgsm",
    kind="attack",
    norm="linf",
    needs_gradients=True,
    budget=lambda _, variant: float(variant["epsilon"]),
    through="ART",
    cost=lambda p: 3.0 + len(radii(p["epsilons"])),  # one gradient, then one look per radius
)
def fgsm(
    model: Attackable,
    batch: Batch,
    *,
    epsilons: Sequence[float] = (1 / 255, 2 / 255, 4 / 255, 8 / 255),
) -> Iterator[Altered]:
    """x + ε·sign(∇x CE) for each ε in [0, 1] pixels, all from one gradient.

    Source: Goodfellow et al. 2015, arXiv:1412.6572; run in ART's `FastGradientMethod`.
    FGSM alone is a weak attack: what survives it is an upper estimate of robustness.
    `found` marks an image whose gradient is zero everywhere: the attack was blind there.
    """
    sizes = radii(epsilons)
    step, blind = fast_gradient(model, batch.x, batch.y)
    found = [{"zero_gradient": True} if b else {} for b in blind]
    for epsilon in sizes:
        yield Altered({"epsilon": epsilon}, step(epsilon), found=found, queries=[1] * len(found))

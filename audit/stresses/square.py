"""Square: a black-box search that needs no gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from audit.stresses.art_bridge import square as run_in_art
from audit.stresses.radii import at_least, radii
from audit.stresses.registry import Altered, Attackable, Batch, stress


@stress(
    "square",
    kind="attack",
    norm="linf",
    budget=lambda _, variant: float(variant["epsilon"]),
    through="ART",
    cost=lambda p: len(radii(p["epsilons"])) * (1.0 + p["queries"]),
)
def square(
    model: Attackable,
    batch: Batch,
    *,
    epsilons: Sequence[float] = (4 / 255,),
    queries: int = 200,
) -> Iterator[Altered]:
    """Random squares of ±ε kept when they lower the margin, at most `queries` forwards each.

    Sees scores only, so it finds what gradient masking hides from FGSM and PGD. Source:
    Andriushchenko et al. 2020, arXiv:1912.00049; run in ART's `SquareAttack`, one image at a
    time because its draws are shared by a batch.
    """
    at_least(3, queries=queries)  # the image, the first stripes, one square
    for epsilon in radii(epsilons):
        done = [
            run_in_art(model, x, int(y), epsilon, queries, rng)
            for x, y, rng in zip(batch.x, batch.y, batch.rngs, strict=True)
        ]
        yield Altered(
            {"epsilon": epsilon},
            torch.stack([image for image, _ in done]),
            queries=[spent for _, spent in done],
        )

"""Square: a black-box search that needs no gradient."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audit.errors import HipauditError
from audit.stresses.looking import ask, clear_margin, device_of
from audit.stresses.radii import at_least, positive, radii
from audit.stresses.registry import Altered, Attackable, Batch, stress

# The area of the squares is halved after these parts of the queries.
HALVED_AFTER = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)


@stress(
    "square",
    kind="attack",
    norm="linf",
    budget=lambda _, variant: float(variant["epsilon"]),
    cost=lambda p: float(len(radii(p["epsilons"])) * p["queries"]),
    check=lambda p: _check(p),
)
def square(
    model: Attackable,
    batch: Batch,
    *,
    epsilons: Sequence[float] = (4 / 255,),
    queries: int = 200,
    area: float = 0.8,
) -> Iterator[Altered]:
    """Random squares of ±ε kept when they lower the margin, at most `queries` forwards each.

    Sees scores only, so it finds what gradient masking hides from FGSM and PGD. Starts from
    stripes where they help; the first squares cover the share `area` of the image. A case is
    left alone once it is fooled; each radius is searched anew, so that its queries are its own.
    Source: Andriushchenko et al. 2020, arXiv:1912.00049.
    """
    device = device_of(model)
    x, y = batch.x.to(device), batch.y.to(device)
    start = torch.from_numpy(batch.open).to(device)
    for epsilon in radii(epsilons):
        images, spent = _searched(model, x, y, start, epsilon, queries, area, batch.rngs)
        yield Altered({"epsilon": epsilon}, images.cpu(), queries=spent.tolist())


def _check(p: Mapping[str, Any]) -> None:
    at_least(3, queries=p["queries"])  # the image, the stripes, one square
    positive(area=p["area"])
    if p["area"] > 1:
        raise HipauditError("`area` to be a share from above 0 to 1", f"{p['area']!r}")


def _searched(
    model: Attackable,
    x: Tensor,
    y: Tensor,
    wanted: Tensor,
    epsilon: float,
    queries: int,
    area: float,
    rngs: Sequence[np.random.Generator],
) -> tuple[Tensor, Tensor]:
    """Images of the highest margin found, and the forwards spent on each, (N,)."""
    channels, height, width = x.shape[1:]
    first = _uniform(rngs, (channels, 1, width), x)  # per case, so that no batch is felt
    draws = _uniform(rngs, (queries, 2 + 2 * channels), x)
    best, margin = x.clone(), torch.full((len(x),), -torch.inf, device=x.device)
    spent = torch.zeros(len(x), dtype=torch.long, device=x.device)
    for turn in range(queries):
        rows = torch.nonzero(wanted & (margin <= clear_margin(model)))[:, 0]
        if not len(rows):
            break
        if turn == 0:
            tried = x[rows]  # what stripes have to improve on; the paper takes them unasked
        elif turn == 1:
            tried = (x[rows] + epsilon * _signs(first[rows])).clamp(0.0, 1.0)
        else:
            side = side_at((turn - 2) / queries, area, height, width)
            tried = _with_square(best[rows], x[rows], epsilon, side, draws[rows, turn])
        found = ask(model, tried, y[rows])
        spent[rows] += 1
        better = found > margin[rows]
        best[rows[better]] = tried[better]
        margin[rows[better]] = found[better]
    return best, spent


def side_at(progress: float, area: float, height: int, width: int) -> int:
    """Side of the squares when a part `progress` of the queries is spent.

    >>> [side_at(p, 0.8, 224, 224) for p in (0.0, 0.01, 1.0)]
    [200, 100, 9]
    """
    share = area / 2 ** bisect_left(HALVED_AFTER, progress)
    return min(max(round(math.sqrt(share * height * width)), 1), height, width)


def _with_square(best: Tensor, x: Tensor, epsilon: float, side: int, drawn: Tensor) -> Tensor:
    """x + (±ε per channel) inside one square per image, `best` outside; (M, C, H, W).

    `drawn` (M, 2 + 2C) uniform in [0, 1): place, signs, and which signs to turn where those
    would change nothing.
    """
    channels, height, width = x.shape[1:]
    top = (drawn[:, 0] * (height - side + 1)).long()[:, None]
    left = (drawn[:, 1] * (width - side + 1)).long()[:, None]
    down, across = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    inside = ((down >= top) & (down < top + side))[:, None, :, None]
    inside = inside & ((across >= left) & (across < left + side))[:, None, None, :]
    signs = _signs(drawn[:, 2 : 2 + channels])[:, :, None, None]
    tried = torch.where(inside, (x + epsilon * signs).clamp(0.0, 1.0), best)
    same = (tried == best).flatten(1).all(1)
    if same.any():
        turn = drawn[same, 2 + channels :] < 0.5
        turn = (turn | ~turn.any(1, keepdim=True))[:, :, None, None]
        turned = torch.where(turn, -signs[same], signs[same])
        moved = (x[same] + epsilon * turned).clamp(0.0, 1.0)
        tried[same] = torch.where(inside[same], moved, best[same])
    return tried


def _signs(drawn: Tensor) -> Tensor:
    return torch.where(drawn < 0.5, -1.0, 1.0)


def _uniform(rngs: Sequence[np.random.Generator], shape: tuple[int, ...], like: Tensor) -> Tensor:
    """(N, *shape) uniform in [0, 1), each case from its own generator, on the device of `like`."""
    drawn = np.stack([rng.random(shape, dtype=np.float32) for rng in rngs])
    return torch.from_numpy(drawn).to(like.device)

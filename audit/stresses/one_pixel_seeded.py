"""The one-pixel attack helped by the gradient: white-box, for how much the plain search misses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audit.errors import StressFailed
from audit.stresses.candidates import still_open
from audit.stresses.evolution import Genomes, Outcome
from audit.stresses.looking import clear_margin
from audit.stresses.one_pixel import check_budget, handed_over
from audit.stresses.pixel_candidates import CLEAR
from audit.stresses.pixel_genes import Genes, evaluations, evolution, su2019
from audit.stresses.pixel_queries import Search, answered
from audit.stresses.radii import at_least
from audit.stresses.registry import Altered, Attackable, Batch, stress

GRADIENT = 3  # one forward, and a backward counts 2


def _cost(params: Mapping[str, Any]) -> float:
    spent = evaluations(params["population"], params["generations"], params["queries"])
    return float(GRADIENT + spent)


@stress(
    "one_pixel_seeded",
    kind="attack",
    norm="l0",
    variants="search",
    needs_gradients=True,
    budget=lambda params, _: float(params["pixels"]),
    cost=_cost,
    check=lambda p: _check(p),
)
def one_pixel_seeded(
    model: Attackable,
    batch: Batch,
    *,
    pixels: int = 1,
    seeds: int = 100,
    population: int = 400,
    generations: int = 100,
    queries: int = 2000,
    block: int = 32,
) -> Iterator[Altered]:
    """`one_pixel` in mode "su2019" that begins where the gradient points. White-box.

    Places are ranked by how far the log-odds of the true class would fall along the gradient
    if the pixel went to black or to white: |gradient| × room to move. Generation 0 begins with
    the best `seeds` places (half the `population` at most) at the extreme that the gradient
    favours, then with the same at the other, as far from x the slope may mislead; the rest is
    drawn as in `one_pixel`, and evolution goes on from there. With `pixels` k > 1, seed i is
    the places ranked i to i + k − 1. Colours go to the corners of the colour cube.

    `queries` bounds what is evaluated after the gradient, and counts it as one more. `found`
    is that of `one_pixel`, with `zero_gradient` where the gradient is zero everywhere: nothing
    is seeded there. Raises StressFailed when model or gradient are not finite.
    Source: evolution as Su et al. 2019, arXiv:1710.08864; the ranking as a first-order step of
    sparse white-box attacks (Papernot et al. 2016, arXiv:1511.07528).
    """
    limit = evaluations(population, generations, queries)
    rows = still_open(batch)
    if not rows:
        return
    searches: list[Search[Outcome]] = []
    clear = clear_margin(model, CLEAR)
    blind = []
    for row in rows:
        x, target, rng = batch.x[row], int(batch.y[row]), batch.rngs[row]
        genes, slope = Genes.of(x, pixels), gradient(model, x, target)
        blind.append(not bool(slope.any()))
        start = genes.drawn(rng, population)
        if not blind[-1]:
            seeded = seeds_of(x, slope, pixels, min(seeds, population // 2))
            start[: len(seeded)] = seeded
        searches.append(evolution(genes, start, su2019(genes, rng), target, limit, block, clear))
    size = min(block, population)
    outcomes = answered("one_pixel_seeded", model, batch.x[rows], searches, block=size)
    done = handed_over("seeded", batch, rows, outcomes, pixels)
    found = [
        {**told, "zero_gradient": True} if unseen else told
        for told, unseen in zip(done.found, blind, strict=True)
    ]
    spent = [outcome.evaluations + 1 for outcome in outcomes]
    yield Altered(done.variant, done.images, rows, found, spent)


def _check(p: Mapping[str, Any]) -> None:
    check_budget(p)
    at_least(1, seeds=p["seeds"])


def gradient(model: Attackable, x: Tensor, target: int) -> Tensor:
    """Of the log-odds of class `target` with respect to x (C, H, W), on the CPU.

    One image at a time, so that no other image's presence can reorder its places.
    """
    seen = x[None].clone().requires_grad_()
    with torch.enable_grad():
        logits = model.decision_logits(seen)[0]
        others = torch.cat([logits[:target], logits[target + 1 :]])
        (slope,) = torch.autograd.grad(logits[target] - torch.logsumexp(others, 0), seen)
    if not bool(torch.isfinite(slope).all()):
        raise StressFailed("one_pixel_seeded: the model's gradient is not finite")
    return slope[0].cpu()


def seeds_of(x: Tensor, slope: Tensor, pixels: int, count: int) -> Genomes:
    """x, slope (C, H, W) -> (2 · count or fewer, d) genomes, most promising first."""
    channels, _, width = x.shape
    image, steep = (t.reshape(channels, -1).double().numpy() for t in (x, slope))
    white = steep < 0  # a falling log-odds is towards white where the slope is negative
    fall = (np.abs(steep) * np.where(white, 1 - image, image)).sum(axis=0)
    ranked = np.argsort(-fall, kind="stable")
    count = max(0, min(count, len(ranked) - pixels + 1))
    windows = np.arange(count)[:, None] + np.arange(pixels)
    places = ranked[windows]  # (count, k)
    corners = white.T[places]  # (count, k, C)
    return np.concatenate([_genomes(places, width, each) for each in (corners, ~corners)])


def _genomes(
    places: npt.NDArray[np.int64], width: int, white: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    rows, columns = np.divmod(places, width)
    centres = np.stack([columns, rows], axis=2) + 0.5
    genomes = np.concatenate([centres, 255.0 * white], axis=2)
    return genomes.reshape(len(places), places.shape[1] * genomes.shape[2])

"""The one-pixel attack: can changing k pixels, found without gradients, change the decision?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from audit.errors import HipauditError, did_you_mean
from audit.stresses.candidates import still_open
from audit.stresses.evolution import Outcome
from audit.stresses.looking import clear_margin
from audit.stresses.pixel_candidates import CLEAR, described, image_of
from audit.stresses.pixel_genes import (
    LEAST_POPULATION,
    Genes,
    art,
    art_start,
    evaluations,
    evolution,
    su2019,
)
from audit.stresses.pixel_queries import Search, answered
from audit.stresses.radii import at_least
from audit.stresses.registry import Altered, Attackable, Batch, stress

MODES = ("su2019", "art")


def _cost(params: Mapping[str, Any]) -> float:
    return float(evaluations(params["population"], params["generations"], params["queries"]))


@stress(
    "one_pixel",
    kind="attack",
    norm="l0",
    variants="search",
    budget=lambda params, _: float(params["pixels"]),
    cost=_cost,
    check=lambda p: _check(p),
)
def one_pixel(
    model: Attackable,
    batch: Batch,
    *,
    pixels: int = 1,
    mode: str = "su2019",
    population: int = 400,
    generations: int = 100,
    queries: int = 2000,
    block: int = 32,
) -> Iterator[Altered]:
    """Replace at most `pixels` pixels by new grey levels (colours for colour images).

    Differential evolution with `population` candidates for at most `generations` generations
    and `queries` evaluations per image, `block` of them at a time; it ends for an image at its
    first clear success, so `queries` of the result varies. `mode`:

    * "su2019": rand/1, F = 0.5, no crossover; places uniform, levels from N(128, 127) cut to
      0–255. Places that leave the image are drawn afresh (the paper does not say).
    * "art": best/1, F drawn from [0.5, 1) per generation, Latin hypercube start, as in ART's
      `PixelAttack`, but by generations where ART replaces members one by one.

    Minimised is the log-odds of the true class, which orders candidates like Su's probability
    but does not saturate. Levels are whole (0–255), as a radiograph is grey the pixel is grey.
    Each image is searched on its own, with its own draws: no result depends on the batch.
    A candidate met before is looked up; it counts as a query, as in the paper, not as a forward.
    `found` holds column x, row y and the value in [0, 1] (red, green, blue for colour), with
    a number from the second pixel on. Raises StressFailed when the model is not finite.
    Source: Su et al. 2019, arXiv:1710.08864.
    """
    limit = evaluations(population, generations, queries)
    rows = still_open(batch)
    searches: list[Search[Outcome]] = []
    clear = clear_margin(model, CLEAR)
    for row in rows:
        genes, rng = Genes.of(batch.x[row], pixels), batch.rngs[row]
        start = (
            genes.drawn(rng, population) if mode == "su2019" else art_start(genes, rng, population)
        )
        rule = su2019(genes, rng) if mode == "su2019" else art(genes, rng)
        searches.append(evolution(genes, start, rule, int(batch.y[row]), limit, block, clear))
    if rows:
        size = min(block, population)
        outcomes = answered("one_pixel", model, batch.x[rows], searches, block=size)
        yield handed_over(mode, batch, rows, outcomes, pixels)


def _check(p: Mapping[str, Any]) -> None:
    if p["mode"] not in MODES:
        hint = did_you_mean(str(p["mode"]), list(MODES))
        raise HipauditError("a mode of one_pixel", f'"{p["mode"]}"', hint)
    check_budget(p)


def check_budget(p: Mapping[str, Any]) -> None:
    """HipauditError unless every one is a whole number that a search can work with."""
    at_least(1, pixels=p["pixels"], queries=p["queries"], block=p["block"])
    at_least(LEAST_POPULATION, population=p["population"])
    at_least(0, generations=p["generations"])


def handed_over(
    mode: str, batch: Batch, rows: Sequence[int], outcomes: Sequence[Outcome], pixels: int
) -> Altered:
    """The best candidate of every search, success or not: the engine decides that."""
    images, found = [], []
    for row, outcome in zip(rows, outcomes, strict=True):
        x = batch.x[row]
        best = Genes.of(x, pixels).candidates(outcome.genome[None])
        images.append(image_of(x, best))
        found.append(described(best, x.shape[-1]) | {"fooled_in_search": outcome.hit})
    spent = [outcome.evaluations for outcome in outcomes]
    return Altered({"search": mode}, torch.stack(images), rows, found, spent)

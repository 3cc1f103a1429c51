"""The one-pixel attack: can changing k pixels, found without gradients, change the decision?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audit.errors import HipauditError, StressFailed, did_you_mean
from audit.results import Scalar
from audit.stresses.evolution import (
    Energies,
    Genomes,
    Outcome,
    best_1,
    evolve,
    latin_hypercube,
    rand_1,
    redrawn,
)
from audit.stresses.registry import Altered, Attackable, Batch, stress

MODES = ("su2019", "art")
LEAST_POPULATION = 4  # rand/1 needs a member and three others
# The same image may score up to 1e-4 apart in batches of another size, and the engine checks
# again in one: a hit closer to the boundary than that does not end the search.
CLEAR = 1e-4


def _cost(params: Mapping[str, Any]) -> float:
    return float(_evaluations(params["population"], params["generations"], params["queries"]))


def _evaluations(population: int, generations: int, queries: int) -> int:
    """Generation 0 counts too: 400 × (100 + 1) = 40,400 for the budget of Su et al."""
    return min(queries, population * (generations + 1))


@stress(
    "one_pixel",
    kind="attack",
    norm="l0",
    variants="search",
    budget=lambda params, _: float(params["pixels"]),
    cost=_cost,
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
    and `queries` evaluations per image, `block` of them per forward pass; it ends for an
    image at its first clear success, so `queries` of the result varies. `mode`:

    * "su2019": rand/1, F = 0.5, no crossover; places uniform, levels from N(128, 127) cut to
      0–255. Places that leave the image are drawn afresh (the paper does not say).
    * "art": best/1, F drawn from [0.5, 1) per generation, Latin hypercube start, as in ART's
      `PixelAttack`, but by generations where ART replaces members one by one.

    Minimised is the log-odds of the true class, which orders candidates like Su's probability
    but does not saturate. Levels are whole (0–255), as a radiograph is grey the pixel is grey.
    Each image is searched on its own, with its own draws: no result depends on the batch.
    `found` holds column x, row y and the value in [0, 1] (red, green, blue for colour), with
    a number from the second pixel on. Raises StressFailed when the model is not finite.
    Source: Su et al. 2019, arXiv:1710.08864.
    """
    _check(pixels, mode, population, generations, queries, block)
    rows = [int(row) for row in np.flatnonzero(batch.open)]
    if not rows:
        return
    limit = _evaluations(population, generations, queries)
    images, found, spent = [], [], []
    for row in rows:
        search = _Search(model, batch.x[row], int(batch.y[row]), pixels, batch.rngs[row])
        outcome = search.run(mode, population, limit, block)
        images.append(search.render(outcome.genome[None])[0])
        found.append(search.describe(outcome))
        spent.append(outcome.evaluations)
    yield Altered({"search": mode}, torch.stack(images), rows, found, spent)


def _check(pixels: int, mode: str, population: int, generations: int, q: int, block: int) -> None:
    if mode not in MODES:
        raise HipauditError(
            "a mode of one_pixel", f'"{mode}"', did_you_mean(str(mode), list(MODES))
        )
    least = {"pixels": 1, "population": LEAST_POPULATION, "generations": 0, "queries": 1}
    least["block"] = 1
    values = (pixels, population, generations, q, block)
    for (name, low), value in zip(least.items(), values, strict=True):
        if not isinstance(value, int) or value < low:
            raise HipauditError(f"{name} of {low} or more", f"{value!r}")


class _Search:
    """One image under search. A genome is, per pixel, (x, y, level per channel)."""

    def __init__(
        self, model: Attackable, x: Tensor, target: int, pixels: int, rng: np.random.Generator
    ) -> None:
        self.model, self.x, self.target, self.pixels, self.rng = model, x, target, pixels, rng
        channels, height, width = x.shape
        self.place = np.tile([True, True] + [False] * channels, pixels)
        self.high = np.tile([float(width), float(height)] + [255.0] * channels, pixels)

    def run(self, mode: str, population: int, limit: int, block: int) -> Outcome:
        start, propose = (
            (self._start_su, self._next_su)
            if mode == "su2019"
            else (self._start_art, self._next_art)
        )
        return evolve(self.score, start(population), propose, evaluations=limit, block=block)

    def _start_su(self, population: int) -> Genomes:
        shape = (population, len(self.high))
        places = self.rng.random(shape) * self.high
        levels = self.rng.normal(128, 127, shape)
        return self._kept(np.where(self.place, places, levels))

    def _next_su(self, population: Genomes, _: Energies) -> Genomes:
        return self._kept(rand_1(self.rng, population, scale=0.5))

    def _kept(self, genomes: Genomes) -> Genomes:
        """Levels cut to 0–255; places outside drawn afresh."""
        levels = np.clip(genomes, 0.0, 255.0)
        return np.where(self.place, redrawn(self.rng, genomes, self.high), levels)

    def _start_art(self, population: int) -> Genomes:
        return np.asarray(latin_hypercube(self.rng, population, len(self.high)) * self.high)

    def _next_art(self, population: Genomes, energies: Energies) -> Genomes:
        trials = best_1(self.rng, population, energies, self.rng.uniform(0.5, 1.0))
        return redrawn(self.rng, trials, self.high)

    def render(self, genomes: Genomes) -> Tensor:
        """(n, d) -> (n, C, H, W): the image with each candidate's pixels put in, in order."""
        out = self.x.expand(len(genomes), -1, -1, -1).clone()
        members = torch.arange(len(genomes))
        for pixel in np.split(genomes, self.pixels, axis=1):
            column, row = (torch.from_numpy(np.floor(pixel[:, i]).astype(int)) for i in (0, 1))
            levels = torch.from_numpy(np.rint(pixel[:, 2:]) / 255).to(out.dtype)
            out[members, :, row, column] = levels
        return out

    def score(self, genomes: Genomes) -> tuple[Energies, npt.NDArray[np.bool_]]:
        """Log-odds of the true class, and who is decided otherwise by a clear margin."""
        with torch.no_grad():
            logits = self.model.decision_logits(self.render(genomes)).double().cpu()
        if not bool(torch.isfinite(logits).all()):
            raise StressFailed("one_pixel: the model gave a logit that is not finite")
        others = torch.cat([logits[:, : self.target], logits[:, self.target + 1 :]], dim=1)
        true = logits[:, self.target]
        energy = true - torch.logsumexp(others, dim=1)
        return energy.numpy(), (others.amax(1) - true > CLEAR).numpy()

    def describe(self, outcome: Outcome) -> dict[str, Scalar]:
        """Where and what, in numbers a reader can repeat."""
        said: dict[str, Scalar] = {}
        for index, pixel in enumerate(np.split(outcome.genome, self.pixels)):
            end = "" if index == 0 else str(index + 1)
            names = ["value"] if len(pixel) == 3 else ["red", "green", "blue"]
            said |= {f"x{end}": int(pixel[0]), f"y{end}": int(pixel[1])}
            levels = np.rint(pixel[2:]) / 255
            said |= {f"{name}{end}": float(v) for name, v in zip(names, levels, strict=True)}
        return said | {"fooled_in_search": outcome.hit}

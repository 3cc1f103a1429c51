"""What evolution does with pixels: the genome, its candidates, the rules of Su et al., of ART."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from audit.stresses.evolution import (
    Energies,
    Genomes,
    Outcome,
    Propose,
    best_1,
    evolve,
    latin_hypercube,
    rand_1,
    redrawn,
)
from audit.stresses.pixel_candidates import CLEAR, Candidates, log_odds, margins
from audit.stresses.pixel_queries import Search

LEAST_POPULATION = 4  # rand/1 needs a member and three others


def evaluations(population: int, generations: int, queries: int) -> int:
    """Generation 0 counts too: 400 × (100 + 1) = 40,400 for the budget of Su et al."""
    return min(queries, population * (generations + 1))


@dataclass(frozen=True)
class Genes:
    """The genome of one image: per pixel x, y and a level per channel, as real numbers."""

    pixels: int
    channels: int
    height: int
    width: int

    @classmethod
    def of(cls, x: Tensor, pixels: int) -> Genes:
        """For x (C, H, W)."""
        return cls(pixels, *x.shape)

    @property
    def is_place(self) -> np.ndarray:
        """(d,) bool."""
        return np.tile([True, True] + [False] * self.channels, self.pixels)

    @property
    def high(self) -> np.ndarray:
        """(d,): a gene lies in [0, high)."""
        one = [float(self.width), float(self.height)] + [255.0] * self.channels
        return np.tile(one, self.pixels)

    def candidates(self, genomes: Genomes) -> Candidates:
        """(n, d) -> n candidates: places cut to whole ones, levels rounded."""
        split = genomes.reshape(len(genomes), self.pixels, 2 + self.channels)
        columns, rows = (np.floor(split[:, :, i]).astype(np.int64) for i in (0, 1))
        levels = np.rint(split[:, :, 2:]).astype(np.int64)
        return Candidates(rows * self.width + columns, levels)

    def kept(self, rng: np.random.Generator, genomes: Genomes) -> Genomes:
        """Levels cut to 0–255; places outside drawn afresh."""
        levels = np.clip(genomes, 0.0, 255.0)
        return np.where(self.is_place, redrawn(rng, genomes, self.high), levels)

    def drawn(self, rng: np.random.Generator, n: int) -> Genomes:
        """(n, d) as in Su et al.: places uniform, levels from N(128, 127) cut to 0–255."""
        places = rng.random((n, len(self.high))) * self.high
        levels = rng.normal(128, 127, places.shape)
        return self.kept(rng, np.where(self.is_place, places, levels))


def su2019(genes: Genes, rng: np.random.Generator) -> Propose:
    """rand/1, F = 0.5, no crossover."""
    return lambda population, _: genes.kept(rng, rand_1(rng, population, scale=0.5))


def art(genes: Genes, rng: np.random.Generator) -> Propose:
    """best/1, F drawn from [0.5, 1) per generation; all genes outside are drawn afresh."""

    def propose(population: Genomes, energies: Energies) -> Genomes:
        trials = best_1(rng, population, energies, rng.uniform(0.5, 1.0))
        return redrawn(rng, trials, genes.high)

    return propose


def art_start(genes: Genes, rng: np.random.Generator, n: int) -> Genomes:
    return np.asarray(latin_hypercube(rng, n, len(genes.high)) * genes.high)


def evolution(
    genes: Genes,
    start: Genomes,
    propose: Propose,
    target: int,
    limit: int,
    block: int,
    clear: float = CLEAR,
) -> Search[Outcome]:
    """Minimises the log-odds of class `target`; ends at the first other decision by `clear`."""
    course = evolve(start, propose, evaluations=limit, block=block)
    genomes = next(course)
    while True:
        logits = yield genes.candidates(genomes)
        try:
            hits = margins(logits, target) < -clear
            genomes = course.send((log_odds(logits, target), hits))
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

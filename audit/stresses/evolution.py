"""Differential evolution over blocks of candidates, for black-box searches.

Source: Storn & Price 1997. Selection happens a generation at a time ("deferred"), so that a
block of candidates can share one forward pass. It stops at the first hit, every member is
checked, those of generation 0 included, and what it finds does not depend on the block.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audit.stresses.pixel_candidates import TIE

Genomes = npt.NDArray[np.float64]  # (n, d), a row is a candidate
Energies = npt.NDArray[np.float64]  # (n,), smaller is better
Propose = Callable[[Genomes, Energies], Genomes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best candidate, its energy, whether it is a hit, and how many it took.

    `evaluations` counts as if they were made one by one: up to the hit and not beyond.
    """

    genome: npt.NDArray[np.float64]
    energy: float
    hit: bool
    evaluations: int


Evolution = Generator[Genomes, tuple[Energies, npt.NDArray[np.bool_]], Outcome]


def evolve(start: Genomes, propose: Propose, *, evaluations: int, block: int) -> Evolution:
    """Minimise from generation `start` with at most `evaluations`, `block` of them at a time.

    Yields genomes and is sent their energies and which of them are hits. `propose(population,
    energies)` gives one trial per member; a trial takes the place of its member when it is no
    worse (within TIE). The last generation is cut short where the budget ends.
    """
    population, trials = start.copy(), start
    energies = np.full(len(start), np.inf)
    spent = 0
    while True:
        for first in range(0, len(trials), block):
            last = min(first + block, len(trials), first + evaluations - spent)
            energy, hit = yield trials[first:last]
            if hit.any():
                found = int(hit.argmax())
                genome = trials[first + found].copy()
                return Outcome(genome, float(energy[found]), True, spent + found + 1)
            spent += last - first
            taken = np.arange(first, last)[energy <= energies[first:last] + TIE]
            population[taken] = trials[taken]
            energies[taken] = energy[taken - first]
            if spent >= evaluations:
                best = int(energies.argmin())
                return Outcome(population[best].copy(), float(energies[best]), False, spent)
        trials = propose(population, energies)


def partners(rng: np.random.Generator, n: int, count: int) -> list[npt.NDArray[np.int64]]:
    """For each of n members, `count` others: distinct, uniform, never the member itself."""
    chosen = [np.arange(n, dtype=np.int64)]
    for taken in range(1, count + 1):
        pick = rng.integers(0, n - taken, n)
        for used in np.sort(np.stack(chosen), axis=0):
            pick = pick + (pick >= used)
        chosen.append(pick)
    return chosen[1:]


def rand_1(rng: np.random.Generator, population: Genomes, scale: float) -> Genomes:
    """a + scale · (b − c) for three distinct others a, b, c; no crossover."""
    a, b, c = partners(rng, len(population), 3)
    return np.asarray(population[a] + scale * (population[b] - population[c]))


def best_1(
    rng: np.random.Generator, population: Genomes, energies: Energies, scale: float
) -> Genomes:
    """best + scale · (b − c) for two distinct others b, c; no crossover."""
    b, c = partners(rng, len(population), 2)
    best = population[int(energies.argmin())]
    return np.asarray(best + scale * (population[b] - population[c]))


def latin_hypercube(rng: np.random.Generator, n: int, d: int) -> Genomes:
    """(n, d) in [0, 1): every column has exactly one value in each of n equal strata."""
    strata = np.stack([rng.permutation(n) for _ in range(d)], axis=1)
    return np.asarray((strata + rng.random((n, d))) / n)


def redrawn(rng: np.random.Generator, genomes: Genomes, high: npt.NDArray[np.float64]) -> Genomes:
    """Genes outside [0, high) are drawn afresh, uniformly; the rule of SciPy's evolution."""
    fresh = rng.random(genomes.shape) * high
    return np.where((genomes >= 0) & (genomes < high), genomes, fresh)

"""Differential evolution: the parts it is made of, each against what it must be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import chisquare

from audit.stresses.evolution import (
    Energies,
    Genomes,
    Outcome,
    Propose,
    best_1,
    evolve,
    latin_hypercube,
    partners,
    rand_1,
    redrawn,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_partners_are_distinct_and_never_the_member_itself() -> None:
    draw, n = rng(), 9
    for _ in range(200):
        rows = np.stack([np.arange(n), *partners(draw, n, 3)])
        assert all(len(set(column)) == 4 for column in rows.T)
        assert rows.min() == 0
        assert rows.max() == n - 1


def test_partners_are_uniform_over_all_ordered_triples() -> None:
    draw, n = rng(), 5
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(4800):
        triple = tuple(int(column[2]) for column in partners(draw, n, 3))
        counts[triple] = counts.get(triple, 0) + 1
    assert len(counts) == 4 * 3 * 2
    assert chisquare(list(counts.values())).pvalue > 0.001


def test_rand_1_is_the_sum_of_three_members_as_storn_and_price_write_it() -> None:
    population = rng().random((6, 2))
    a, b, c = partners(np.random.default_rng(3), 6, 3)
    trials = rand_1(np.random.default_rng(3), population, 0.5)
    for i in range(6):
        by_hand = population[a[i]] + 0.5 * (population[b[i]] - population[c[i]])
        np.testing.assert_array_equal(trials[i], by_hand)


def test_best_1_starts_from_the_member_of_least_energy() -> None:
    population = rng().random((6, 2))
    energies = np.array([3.0, 1.0, 0.5, 2.0, 9.0, 4.0])
    trials = best_1(rng(), population, energies, 0.0)
    np.testing.assert_array_equal(trials, np.tile(population[2], (6, 1)))


def test_a_latin_hypercube_has_one_value_in_every_stratum_of_every_column() -> None:
    drawn = latin_hypercube(rng(), 40, 3)
    for column in drawn.T:
        assert sorted(np.floor(column * 40).astype(int)) == list(range(40))


def test_only_genes_outside_are_redrawn_and_land_inside() -> None:
    high = np.array([4.0, 8.0])
    genomes = np.array([[3.5, -1.0], [4.0, 7.9], [-9.0, 0.0]])
    kept = redrawn(rng(), genomes, high)
    inside = (genomes >= 0) & (genomes < high)
    np.testing.assert_array_equal(kept[inside], genomes[inside])
    assert (kept >= 0).all()
    assert (kept < high).all()


Evaluate = Callable[[Genomes], tuple[Energies, np.ndarray]]


def minimised(
    evaluate: Evaluate, start: Genomes, propose: Propose, *, evaluations: int, block: int
) -> Outcome:
    """The outcome of a search whose blocks are answered by `evaluate`."""
    course = evolve(start, propose, evaluations=evaluations, block=block)
    asked = next(course)
    while True:
        try:
            asked = course.send(evaluate(asked))
        except StopIteration as end:
            return end.value


def sphere(genomes: Genomes) -> Energies:
    return np.asarray(((genomes - 0.3) ** 2).sum(axis=1))


@pytest.mark.parametrize("rule", ["rand_1", "best_1"])
def test_it_finds_the_minimum_of_a_sphere(rule: str) -> None:
    draw = rng()

    def propose(population: Genomes, energies: Energies) -> Genomes:
        if rule == "rand_1":
            return rand_1(draw, population, 0.5)
        return best_1(draw, population, energies, 0.7)

    start = draw.random((30, 2))
    outcome = minimised(
        lambda g: (sphere(g), np.zeros(len(g), bool)), start, propose, evaluations=3000, block=7
    )
    np.testing.assert_allclose(outcome.genome, 0.3, atol=0.01)
    assert not outcome.hit
    assert outcome.evaluations == 3000


@pytest.mark.parametrize("budget", [1, 6, 20, 33])
def test_no_more_is_evaluated_than_the_budget_and_every_member_of_the_start_is(
    budget: int,
) -> None:
    seen: list[Genomes] = []

    def evaluate(genomes: Genomes) -> tuple[Energies, np.ndarray]:
        seen.append(genomes.copy())
        return sphere(genomes), np.zeros(len(genomes), bool)

    start = rng().random((20, 2))
    outcome = minimised(evaluate, start, lambda p, e: p, evaluations=budget, block=6)
    everything = np.concatenate(seen)
    assert len(everything) == outcome.evaluations == budget
    np.testing.assert_array_equal(everything[:20], start[:budget])
    assert outcome.energy == sphere(everything).min()


@pytest.mark.parametrize("block", [1, 5, 20])
def test_it_ends_at_the_first_hit_of_generation_0_whatever_the_block(block: int) -> None:
    start = np.arange(20.0)[:, None]
    hits = {8.0, 9.0}  # 9 has less energy and may share a block, but comes later
    outcome = minimised(
        lambda g: (-g[:, 0], np.isin(g[:, 0], list(hits))),
        start,
        lambda p, e: p,
        evaluations=500,
        block=block,
    )
    assert (outcome.genome.item(), outcome.hit, outcome.evaluations) == (8.0, True, 9)


def test_scores_that_are_equal_but_for_noise_decide_nothing() -> None:
    """Each trial scores as its member, give or take the noise of another batch shape."""
    ends = []
    for seed in (1, 2):
        noise, draw = np.random.default_rng(seed), rng()
        outcome = minimised(
            lambda g, noise=noise: (noise.normal(0, 1e-7, len(g)), np.zeros(len(g), bool)),
            draw.random((8, 2)),
            lambda p, e, draw=draw: rand_1(draw, p, 0.5),
            evaluations=8 * 20,
            block=3,
        )
        ends.append(draw.random())
        assert abs(outcome.energy) < 1e-5
    assert ends[0] == ends[1]


def test_a_trial_that_is_worse_does_not_replace_its_member() -> None:
    populations: list[Genomes] = []

    def propose(population: Genomes, energies: Energies) -> Genomes:
        populations.append(population.copy())
        return np.array([[0.0], [9.0], [2.0], [3.0]])

    start = np.array([[1.0], [1.0], [1.0], [5.0]])
    minimised(lambda g: (g[:, 0], np.zeros(len(g), bool)), start, propose, evaluations=12, block=3)
    np.testing.assert_array_equal(populations[1], [[0.0], [1.0], [1.0], [3.0]])

"""What the benchmark of peers computes from seconds and successes, against other means."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as reference

from benchmarks.peers.arithmetic import (
    gradient_floor,
    mcnemar,
    no_worse,
    of_floor,
    ratios,
    search_floor,
    spread,
)


def test_the_paired_test_is_the_exact_one_of_statsmodels() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        ours, theirs = rng.random(25) < 0.7, rng.random(25) < 0.4
        table = [
            [int((ours & theirs).sum()), int((ours & ~theirs).sum())],
            [int((~ours & theirs).sum()), int((~ours & ~theirs).sum())],
        ]
        assert mcnemar(ours, theirs)["p"] == pytest.approx(reference(table, exact=True).pvalue)


def test_attacks_that_fool_the_same_images_do_not_differ() -> None:
    same = np.array([True, False, True])
    assert mcnemar(same, same) == {"only_ours": 0, "only_theirs": 0, "p": 1.0}


def test_an_attack_is_worse_only_when_fewer_fall_and_chance_does_not_explain_it() -> None:
    all_of_ten, none = np.ones(10, bool), np.zeros(10, bool)
    assert no_worse(mcnemar(all_of_ten, none))
    assert not no_worse(mcnemar(none, all_of_ten))  # p = 2 / 1024
    three = np.arange(10) < 3
    assert no_worse(mcnemar(none, three))  # p = 1/4: three images prove nothing


def test_ratios_pair_the_rounds_and_their_spread_is_minimum_median_maximum() -> None:
    found = ratios([1.0, 2.0, 4.0], [3.0, 4.0, 4.0])
    assert found == [3.0, 2.0, 1.0]
    assert spread(found) == [1.0, 2.0, 3.0]


def test_fgsm_needs_a_gradient_and_one_look_per_radius() -> None:
    assert [gradient_floor(k) for k in (1, 8)] == [3.0, 10.0]


def test_a_grid_search_needs_every_cell_only_for_what_stands() -> None:
    assert search_floor(775, np.array([False, False, True, True])) == (775 + 775 + 1 + 1) / 4


def test_the_fraction_of_the_floor_is_the_share_of_time_that_bare_forwards_explain() -> None:
    assert of_floor(3.0, 0.02, 0.12) == pytest.approx(0.5)

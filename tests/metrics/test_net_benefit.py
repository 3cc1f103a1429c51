"""Net benefit against the published formula, identities and simulation."""

from __future__ import annotations

import numpy as np
import pytest

from audit.metrics.net_benefit import (
    exchange,
    net_benefit,
    net_benefit_limits,
    net_benefit_of_all,
    shared_correlation,
)
from audit.metrics.proportion import wilson


@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.5, 0.9])
def test_net_benefit_is_hits_less_false_alarms_at_the_odds_of_the_threshold(
    threshold: float,
) -> None:
    hits, alarms, n = 60, 110, 753
    expected = hits / n - alarms / n * (threshold / (1 - threshold))
    assert net_benefit(hits / n, alarms / n, threshold) == pytest.approx(expected)


def test_acting_on_everyone_is_worth_nothing_where_the_threshold_is_the_prevalence() -> None:
    shares = np.array([0.02, 0.1, 0.43])
    np.testing.assert_allclose(net_benefit_of_all(shares, shares), 0, atol=1e-12)
    assert (net_benefit_of_all(shares, shares / 2) > 0).all()
    assert (net_benefit_of_all(shares, (1 + shares) / 2) < 0).all()


def test_a_perfect_model_is_worth_the_prevalence_at_every_threshold() -> None:
    at = np.array([0.05, 0.5, 0.9])
    np.testing.assert_allclose(net_benefit(0.1, 0.0, at), 0.1)
    assert exchange(at).tolist() == pytest.approx([1 / 19, 1, 9])


def test_the_correlation_of_two_shares_is_that_of_multinomial_counts() -> None:
    counts = np.random.default_rng(0).multinomial(50, [0.3, 0.2, 0.5], 200_000)
    seen = np.corrcoef(counts[:, 0], counts[:, 1])[0, 1]
    assert shared_correlation(0.3, 0.2) == pytest.approx(seen, abs=0.01)
    assert shared_correlation(1.0, 0.0) == 0


@pytest.mark.parametrize(
    ("n", "share", "sens", "spec", "threshold"),
    [
        (200, 0.1, 0.95, 0.95, 0.5),
        (200, 0.4, 0.5, 0.99, 0.9),
        (500, 0.43, 0.99, 0.98, 0.9),
        (1000, 0.05, 0.8, 0.9, 0.05),
    ],
)
def test_limits_cover_as_often_as_they_claim(
    n: int, share: float, sens: float, spec: float, threshold: float
) -> None:
    draw = np.random.default_rng(3)
    cells = [share * sens, (1 - share) * (1 - spec)]
    hits, alarms = (draw.multinomial(n, [*cells, 1 - sum(cells)], 5000)[:, :2]).T
    low, high = net_benefit_limits(
        hits / n, wilson(hits, n), alarms / n, wilson(alarms, n), threshold,
        shared_correlation(hits / n, alarms / n),
    )  # fmt: skip
    true = float(net_benefit(*cells, threshold))
    assert 0.93 < ((low <= true) & (true <= high)).mean() < 0.97

    m, k, declared = round(n * share), n - round(n * share), 0.02
    up, out = draw.binomial(m, sens, 5000), draw.binomial(k, 1 - spec, 5000)
    low, high = net_benefit_limits(
        declared * up / m, tuple(declared * v for v in wilson(up, m)),
        (1 - declared) * out / k, tuple((1 - declared) * v for v in wilson(out, k)), threshold,
    )  # fmt: skip
    true = float(net_benefit(declared * sens, (1 - declared) * (1 - spec), threshold))
    assert 0.93 < ((low <= true) & (true <= high)).mean() < 0.975

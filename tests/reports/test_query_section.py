"""Success by queries in section 8: read off the staircase, with exact limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import binomtest

from audit.results import Curve
from reports.blocks import Cell, Figure, Table, Text
from reports.card import Card
from reports.material import Material
from reports.panels.few_pixels import share_at
from reports.panels.registry import load_panels
from reports.proportions import clopper_pearson
from reports.verdict import read_verdict
from tests.sample_results import sample_results

# Two of 20 fooled: one after 90 queries, one after 350; the budget is 500.
STAIRS = Curve(
    kind="success by queries", stress="one_pixel", params={"queries": 500, "pixels": 1},
    variant="worst", x=(0, 90, 90, 350, 350, 500), y=(0, 0, 0.05, 0.05, 0.1, 0.1), n=20, events=2,
)  # fmt: skip


def material(*curves: Curve) -> Material:
    results = sample_results().model_copy(update={"curves": curves})
    return Material(results, Path(), Card(), read_verdict(None))


@pytest.mark.parametrize(("k", "n"), [(0, 61), (1, 20), (10, 20), (61, 61), (149, 179)])
def test_limits_of_a_share_are_those_of_scipy(k: int, n: int) -> None:
    wanted = binomtest(k, n).proportion_ci(0.95, "exact")
    assert clopper_pearson(k, n) == pytest.approx((wanted.low, wanted.high))


@pytest.mark.parametrize(
    ("queries", "share"), [(10, 0), (89, 0), (90, 0.05), (349, 0.05), (350, 0.1), (500, 0.1)]
)
def test_the_share_at_a_budget_is_the_step_reached_by_then(queries: int, share: float) -> None:
    assert share_at(STAIRS, queries) == share


def test_the_table_gives_counts_at_the_budgets_the_search_reached() -> None:
    figure, table = load_panels()["one_pixel"](material(STAIRS))
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    assert table.columns == ["Search", "10", "100", "400", "end"]
    (row,) = table.rows
    assert row[0] == "One pixel, worst, queries 500, pixels 1"
    cells = [cell for cell in row[1:] if isinstance(cell, Cell)]
    assert [cell.text.rstrip(" †") for cell in cells] == ["0.0%", "5.0%", "10.0%", "10.0%"]
    assert cells[1].sub.endswith("· 1/20")


def test_a_search_of_fewer_queries_leaves_the_larger_budgets_blank() -> None:
    long = STAIRS.model_copy(
        update={"stress": "square", "x": (*STAIRS.x[:-1], 4000.0), "params": {"epsilon": 8 / 255}}
    )
    table = load_panels()["one_pixel"](material(long, STAIRS))[1]
    assert isinstance(table, Table)
    assert table.columns[-3:] == ["1\u202f000", "4\u202f000", "end"]
    assert table.rows[0][4:6] == ["", ""]  # few pixels come first
    assert not any(cell == "" for cell in table.rows[1])


def test_without_a_line_it_is_said_why() -> None:
    (words,) = load_panels()["one_pixel"](material())
    assert isinstance(words, Text)
    assert words.text.startswith("Not given: fewer than ten images")

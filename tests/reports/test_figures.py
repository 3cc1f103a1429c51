"""The pictures: the same every time, without date or script, and with what they show in words."""

from __future__ import annotations

import base64
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from audit.results import Results
from reports.blocks import Cell, Figure, Table
from reports.card import Card
from reports.figures.heat import heat
from reports.figures.style import columns_of, told_apart
from reports.material import Material, is_cell
from reports.numbers import amount, difference, full, setting
from reports.panels.registry import load_panels
from reports.suppression import suppressed
from reports.verdict import read_verdict
from tests.sample_results import proportion, sample_results


def material(results: Results | None = None) -> Material:
    return Material(results or sample_results(), Path(), Card(), read_verdict(None))


def svg(source: str) -> bytes:
    assert source.startswith("data:image/svg+xml;base64,")
    return base64.b64decode(source.partition(",")[2])


@pytest.mark.parametrize("name", ["attack_curves", "corruption_matrix", "rotation_map", "forest"])
def test_a_picture_is_well_formed_repeatable_and_without_date(name: str) -> None:
    panel = load_panels()[name]
    first, second = (
        next(b for b in panel(material()) if isinstance(b, Figure)).source for _ in range(2)
    )
    assert first == second
    root = ET.fromstring(svg(first))  # noqa: S314  # our own picture
    assert root.tag.endswith("svg")
    assert b"dc:date" not in svg(first)
    assert b'href="http' not in svg(first)


def test_the_map_names_its_lowest_and_highest_cell_in_words() -> None:
    # By hand from the sample: 24 of 64 in the corners, 55 of 64 where nothing moves.
    figure, table = load_panels()["rotation_map"](material())
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    assert "37.5% (95% CI 25.7–50.5%; 24/64)" in figure.alt
    assert "highest at +0°, +0% across, +0% down: 85.9%" in figure.alt
    assert table.rows[0] == ["Not moved", Cell("85.9%", sub="75.0–93.4% · 55/64")]


def test_a_map_of_which_every_cell_is_suppressed_is_not_drawn() -> None:
    whole = sample_results()
    gone = {"value": None, "low": None, "high": None, "n": 0, "reason": "suppressed: fewer than 5"}
    found = [f.model_copy(update=gone) if is_cell(f) else f for f in whole.findings]
    (table,) = load_panels()["rotation_map"](material(whole.model_copy(update={"findings": found})))
    assert isinstance(table, Table)


def test_an_edition_without_small_counts_says_that_lines_are_left_out() -> None:
    words = "Lines by which a small count could be reckoned are left out of this edition."

    def said(results: Results) -> str:
        told = load_panels()["performance_lines"](material(results))
        return " ".join(b.caption if isinstance(b, Figure) else str(b) for b in told)

    assert words not in said(sample_results())
    assert words in said(suppressed(sample_results(), 5))


def test_a_map_of_thirty_one_by_twenty_five_cells_is_drawn() -> None:
    shifts = [(dx / 20, dy / 20) for dx in range(-2, 3) for dy in range(-2, 3)]
    angles = [float(a) for a in range(-30, 32, 2)]
    values = {(a, *s): 0.5 for a in angles for s in shifts}
    assert len(svg(heat(angles, shifts, values, "map"))) > 10_000


def test_a_cell_without_a_value_is_left_out_and_not_drawn_as_zero() -> None:
    one = heat([0.0], [(0.0, 0.0), (0.1, 0.0)], {(0.0, 0.0, 0.0): 0.25}, "t")
    two = heat([0.0], [(0.0, 0.0), (0.1, 0.0)], {(0.0, 0.0, 0.0): 0.25, (0.0, 0.1, 0.0): 0.0}, "t")
    assert one != two


def test_numbers_are_written_as_readers_of_journals_expect() -> None:
    assert amount("auroc", 0.8941) == ".894"
    assert amount("auroc", 1.0) == "1.000"
    assert amount("sensitivity", 0.005) == "0.5%"
    none_missed = proportion("sensitivity", 0, 61)
    # The upper bound of 0 of 61: 1 - 0.025 ** (1 / 61) = 5.9%
    assert full(none_missed) == "0.0% (95% CI 0.0–5.9%; 0/61)"
    gap = none_missed.model_copy(update={"value": -0.183, "low": -0.5, "high": 0.012})
    assert difference(gap) == "−18.3 points (95% CI −50.0 to +1.2; n = 61)"


def test_a_setting_tells_epsilon_in_grey_levels_and_leaves_the_rest_to_the_runs() -> None:
    one = proportion(
        "robust_accuracy",
        1,
        20,
        stress="pgd",
        params={"steps": 10, "epsilon": 2 / 255, "relative": 2.5, "restarts": 1},
    )
    assert setting(one) == "PGD, ε = 2/255, steps 10"


def test_a_legend_has_the_columns_that_its_names_leave_room_for() -> None:
    # By hand: a sample of .5 inch and .054 inch a letter; three names of 20 take 4.74 inches.
    assert columns_of(["a" * 20] * 3, 4.8) == 3
    assert columns_of(["a" * 20] * 3, 4.7) == 2
    assert columns_of(["a" * 200], 6.5) == 1
    assert columns_of([], 6.5) == 1


def test_names_that_start_alike_stay_apart_in_a_picture() -> None:
    names = [f"Hospital of the long name, department {n}" for n in range(30)]
    shown = told_apart(names, 36)
    assert len(set(shown)) == len(names)
    assert max(map(len, shown)) == 36


def test_the_counts_of_an_area_are_not_written_as_a_share() -> None:
    (area,) = sample_results().find("auroc", stress="clean", defence="none")
    assert full(area) == ".894 (95% CI .842–.946; 61 positive of 400)"


def test_a_table_is_kept_on_one_page_while_that_costs_no_empty_page() -> None:
    low = Table("t", ["a", "b"], [["x", "1"]] * 7)
    assert low.short
    assert not Table("t", ["a", "b"], [["x", "1"]] * 8).short
    assert not Table("t", ["a", "b"], [["x", Cell("1", sub="why " * 60)]] * 7).short

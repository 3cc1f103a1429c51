"""Sections 6 and 10 as a reader meets them: tested differences, and where errors gather."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.findings import derive
from audit.results import Finding
from reports.blocks import Cell, Table
from reports.card import Card
from reports.material import Material
from reports.panels.registry import load_panels
from reports.render import render_html
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.reports.page import read_page
from tests.sample_results import sample_results
from tests.test_findings_slices import audited


def material(found: list[Finding]) -> Material:
    results = sample_results().model_copy(update={"findings": tuple(found)})
    return Material(results, Path(), Card(), read_verdict(None))


@pytest.fixture(scope="module")
def blind() -> list[Finding]:
    return derive(audited(0.6), ["view", "view*sex"], 0, 300)


def texts(row: list[str | Cell]) -> list[str]:
    return [c.text if isinstance(c, Cell) else c for c in row]


def test_every_difference_is_printed_with_its_p_and_the_adjusted_one(blind) -> None:
    (found,) = load_panels()["subgroup_differences"](material(blind))
    assert isinstance(found, Table)
    assert found.columns[-2:] == ["p", "p, Holm"]
    told = [texts(row) for row in found.rows]
    assert ["accuracy", "view lateral, sex F against view frontal, sex F"] in [r[:2] for r in told]
    hit = next(f for f in blind if f.metric == "accuracy" and f.contrast == "view=frontal")
    row = next(
        r for r in told if r[1] == "view lateral against view frontal" and r[0] == hit.metric
    )
    assert hit.p is not None
    assert float(row[3].strip("<")) == pytest.approx(max(hit.p, 0.001), abs=0.005)
    family = [f for f in blind if f.family == hit.family]
    assert f" {len(family)} were tested" in (found.note or "")


def test_the_slices_where_errors_gather_are_told_worst_first(blind) -> None:
    text = load_values()["errors.clusters"](material(blind))
    assert isinstance(text, str)
    assert text.startswith("view lateral, sex F: accuracy −")
    assert "points (95% CI" in text
    assert "p = < .001" not in text


def test_where_no_slice_stands_out_it_says_how_many_were_searched() -> None:
    found = derive(audited(0.0, seed=2), [], 0, 300)
    text = load_values()["errors.clusters"](material(found))
    assert isinstance(text, str)
    assert text.startswith("No slice stands out (smallest adjusted p = ")
    assert load_values()["errors.clusters"](material([])) is None


def test_the_whole_report_holds_both_and_claims_nothing(blind, tmp_path) -> None:
    page = render_html(material(blind).results, tmp_path)
    text = read_page(page).text
    assert "p, Holm" in text
    assert "against all other cases" in text
    assert not overclaims(text)

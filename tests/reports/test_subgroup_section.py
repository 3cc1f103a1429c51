"""Sections 6 and 10 as a reader meets them: tested differences, and where errors gather."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.findings import derive
from audit.results import Finding
from reports.blocks import Cell, Figure, Table
from reports.card import Card
from reports.material import Material
from reports.panels.registry import load_panels
from reports.render import render_html
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.reports.page import read_page
from tests.sample_results import proportion, sample_results
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
    assert found.columns == ["Groups", "Sensitivity", "Specificity", "AUROC"]
    told = {texts(row)[0]: row for row in found.rows}
    assert "view lateral, sex F against view frontal, sex F" in told
    hit = next(f for f in blind if f.metric == "specificity" and f.contrast == "view=frontal")
    cell = told["view lateral against view frontal"][2]
    assert isinstance(cell, Cell)
    assert hit.value is not None
    assert hit.p is not None
    assert float(cell.text.replace("−", "-")) == pytest.approx(100 * hit.value, abs=0.06)
    _, _, p = cell.sub.partition(" · p ")
    assert float(p.partition(",")[0].strip("< ")) == pytest.approx(max(hit.p, 0.001), abs=0.005)
    families = {f.family for f in blind if f.metric in ("sensitivity", "specificity", "auroc")}
    tests = sum(f.family in families for f in blind if f.family)
    assert f"({tests} in all)" in found.note


def test_only_differences_that_hold_after_holm_are_bold(blind) -> None:
    (found,) = load_panels()["subgroup_differences"](material(blind))
    assert isinstance(found, Table)
    bold = sum(isinstance(cell, Cell) and cell.strong for row in found.rows for cell in row)
    clean = [f for f in blind if f.contrast and f.group and f.stress == "clean"]
    named = [f for f in clean if f.metric in ("sensitivity", "specificity", "auroc")]
    assert bold == sum(f.p_holm is not None and f.p_holm < 0.05 for f in named)
    assert bold > 0


def test_the_slices_where_errors_gather_are_told_worst_first(blind) -> None:
    text = load_values()["errors.clusters"](material(blind))
    assert isinstance(text, str)
    assert "view lateral, sex F" in text
    assert "table in section 6" in text
    (found,) = load_panels()["weak_slices"](material(blind))
    assert isinstance(found, Table)
    first = texts(found.rows[0])
    assert first[:2] == ["view lateral, sex F", "accuracy"]
    assert first[2].startswith("−")


def named(count: int) -> list[Finding]:
    """So many groups of one attribute, with 30 positives and 60 negatives each."""
    return [
        proportion(metric, k, n, group={"device": f"scanner {i:03d}"})
        for i in range(count)
        for metric, k, n in (("sensitivity", 20, 30), ("specificity", 55, 60))
    ]


@pytest.mark.parametrize(("count", "sizes"), [(3, [3]), (20, [20]), (30, [15, 15]), (45, [15] * 3)])
def test_no_figure_holds_more_than_twenty_groups(count: int, sizes: list[int]) -> None:
    drawn = load_panels()["forest"](material(named(count)))
    told = [figure.alt for figure in drawn if isinstance(figure, Figure)]
    assert [int(alt.split()[3]) for alt in told] == sizes  # "Forest plot of 15 groups: …"


def test_seventy_groups_are_cut_by_a_stated_rule() -> None:
    found = material(named(70))
    assert len(load_panels()["forest"](found)) == 3
    (table,) = load_panels()["subgroup_table"](found)
    assert isinstance(table, Table)
    assert len(table.rows) == 61  # and everyone
    assert "The first 60 groups; all 70 are in audit.json." in table.note


def test_cells_under_ten_are_counted_and_missing_attributes_named() -> None:
    few = Finding(
        metric="sensitivity", n=4, group={"device": "scanner 000"}, reason="fewer than 10 positives"
    )
    told = load_values()["subgroups.suppressed"](material([*named(3)[1:], few]))
    assert isinstance(told, str)
    assert told.startswith("1 of 6 numbers by group are not given, for fewer than 10 to count by")
    missing = load_values()["subgroups.missing"](material([]))
    assert missing == "sex, age band, device, site. Nothing is known of differences by them."
    assert load_values()["subgroups.attributes"](material(named(3))) == "device (3 groups)"


def test_where_no_slice_stands_out_it_says_how_many_were_searched() -> None:
    found = derive(audited(0.0, seed=2), [], 0, 300)
    text = load_values()["errors.clusters"](material(found))
    assert isinstance(text, str)
    assert text.startswith("No slice stands out (smallest adjusted p = ")
    assert load_values()["errors.clusters"](material([])) is None


def test_the_whole_report_holds_both_and_claims_nothing(blind, tmp_path) -> None:
    page = render_html(material(blind).results, tmp_path)
    text = read_page(page).text
    assert ", Holm " in text
    assert "Where errors gather" in text
    assert not overclaims(text)

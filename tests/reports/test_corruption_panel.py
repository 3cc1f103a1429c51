"""Dose and response in the report: what is drawn, and the tables that hold its numbers."""

from __future__ import annotations

import base64
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from audit.results import Finding, PlannedRun, Results
from reports.blocks import Cell, Figure, Table
from reports.card import Card
from reports.figures.style import WIDTH
from reports.material import Material
from reports.numbers import level
from reports.panels.corruptions import METRICS, _pane
from reports.panels.registry import load_panels
from reports.verdict import read_verdict
from tests.sample_results import proportion, sample_results

COUNTS = {0.8: 58, 0.4: 48, 0.2: 30}  # right of 64, mild to gross
CLEAN = 60


def contrast(metric: str, value: float | None, **rest: object) -> Finding:
    limits = {} if value is None else {"low": value - 0.05, "high": value + 0.05}
    return Finding(metric=metric, value=value, contrast="stress=clean", n=64, **limits, **rest)  # type: ignore[arg-type]


def loss_of(stress: str) -> list[Finding]:
    """A sample of 64 of the cases, 60 of them right without stress."""
    found = []
    for kept, k in sorted(COUNTS.items()):  # an audit sorts its levels by their names
        where = {"stress": stress, "params": {"depth": 4.0, "kept": kept}}
        found += [proportion(metric, k, 64, **where) for metric in METRICS]
        found += [contrast(metric, (k - CLEAN) / 64, **where) for metric in METRICS]
    first, last = ({"depth": 4.0, "kept": kept} for kept in (0.4, 0.2))
    found.append(contrast("first_loss", -12 / 64, stress=stress, params=first))
    found.append(contrast("change_per_step", -10 / 64, stress=stress, params=last))
    return found


def material(*stresses: str, more: tuple[Finding, ...] = ()) -> Material:
    base = sample_results()
    findings = [f for f in base.findings if f.stress == "clean"]
    for name in stresses:
        findings += loss_of(name)
    params = {"depth": 4.0, "kept": list(COUNTS)}
    runs = [
        PlannedRun(id=n, stress=n, kind="corruption", params=params, sample=64, of=400)
        for n in stresses
    ]
    plan = base.plan.model_copy(update={"runs": tuple(runs)})
    results: Results = base.model_copy(update={"findings": (*findings, *more), "plan": plan})
    return Material(results, Path(), Card(), read_verdict(None))


def size(figure: Figure) -> tuple[float, float]:
    """Inches."""
    root = ET.fromstring(base64.b64decode(figure.source.partition(",")[2]))  # noqa: S314 our own
    width, height = (float(root.attrib[k].removesuffix("pt")) / 72 for k in ("width", "height"))
    return width, height


def test_severities_go_from_none_and_mild_to_gross_in_the_order_of_the_run() -> None:
    pane = _pane(material("contrast_loss"), "contrast_loss")
    assert pane is not None
    assert pane.ticks == ["none", ".8", ".4", ".2"]
    assert pane.axis == "part of the contrast kept"
    assert [round(64 * (f.value or 0)) for _, f in pane.series["accuracy"]] == [60, 58, 48, 30]


def test_the_value_without_stress_is_that_of_the_same_cases_not_of_all() -> None:
    one = material("contrast_loss")
    overall = one.clean("accuracy")
    assert overall is not None
    assert overall.n != 64
    pane = _pane(one, "contrast_loss")
    assert pane is not None
    assert pane.lines == {"accuracy without stress": pytest.approx(CLEAN / 64)}
    assert pane.series["accuracy"][0][1].low is None  # of a sample there is no interval of its own


def test_the_table_gives_the_first_loss_and_the_change_per_step_of_each_corruption() -> None:
    later = contrast("first_loss", None, stress="metal", params={"area": 0.08})
    later = later.model_copy(update={"reason": "no loss of accuracy detected up to area = 0.08"})
    table = load_panels()["corruption_curves"](material("contrast_loss", "metal", more=(later,)))[1]
    assert isinstance(table, Table)
    first, _, none = table.rows
    assert first[0] == "contrast loss, kept 0.4"
    assert [cell.text for cell in first[1:] if isinstance(cell, Cell)] == [
        "−18.8 points",
        "−15.6 points",
    ]
    assert none[0] == "metal"
    assert none[1] == Cell("none", sub="no loss of accuracy detected up to area = 0.08")


def test_every_level_has_a_row_with_counts_and_the_paired_change() -> None:
    (table,) = load_panels()["corruption_table"](material("contrast_loss"))
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == [f"contrast loss, kept {k}" for k in COUNTS]
    for row, k in zip(table.rows, COUNTS.values(), strict=True):
        accuracy, change = row[1], row[4]
        assert isinstance(accuracy, Cell)
        assert isinstance(change, Cell)
        assert accuracy.sub.endswith(f"{k}/64")
        assert change.text == f"−{100 * (CLEAN - k) / 64:.1f} points"
        assert "n =" not in change.sub


def test_fourteen_corruptions_fit_on_one_page_with_their_names_in_words() -> None:
    names = [f"corruption_{i}" for i in range(14)]
    figure = load_panels()["corruption_curves"](material(*names))[0]
    assert isinstance(figure, Figure)
    width, height = size(figure)
    assert width == pytest.approx(WIDTH, abs=0.01)
    assert height < 8.5  # of A4's 11.7 inches, margins and caption off
    assert all(f"corruption {i}" in figure.alt for i in range(14))


def test_without_corruptions_nothing_is_printed() -> None:
    panels = load_panels()
    assert not panels["corruption_curves"](material())
    assert not panels["corruption_table"](material())


@pytest.mark.parametrize(
    ("value", "text"), [(0.002, ".002"), (1.0, "1"), (2.5, "2.5"), ("inverted", "inverted")]
)
def test_levels_are_short_below_an_axis(value, text) -> None:
    assert level(value) == text

"""Calibration in section 5 as a reader meets it: printed numbers against the planted ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy.special import expit

from audit.evidence import Predictions
from audit.findings import derive
from audit.results import Note, ProbeReport
from reports.blocks import Cell, Figure, Table
from reports.calibration import told
from reports.card import Card
from reports.edition import Edition
from reports.material import Material
from reports.panels.registry import load_panels
from reports.render import render_html
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.reports.test_figures import svg
from tests.sample_results import sample_results
from tests.tables import attack
from tests.test_findings_calibration import ODDS, TRUTH, table

RIGHT = [i for i in range(300) if (ODDS[i] > 0) == TRUTH[i]]


def predictions() -> Predictions:
    """Scores twice as large as they should be, and an attack that fools forty."""
    plain = table(odds=2 * ODDS)
    targets, called = [int(y) for y in TRUTH], [int(odds > 0) for odds in ODDS]
    return replace(plain, runs=(*plain.runs, attack(targets, called, set(RIGHT[:40]))))


@pytest.fixture(scope="module")
def material() -> Material:
    note = Note(code="calibration-overconfident", level="warning", text="Scores are too extreme.")
    results = sample_results().model_copy(
        update={
            "findings": tuple(derive(predictions(), ["view"], 0)),
            "probes": (ProbeReport(probe="calibration", notes=(note,)),),
        }
    )
    return Material(results, Path(), Card(), read_verdict(None))


def text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell.text} {cell.sub}".strip()


def lines(found: Table) -> dict[str, list[str]]:
    return {text(row[0]): [text(cell) for cell in row[1:]] for row in found.rows}


def test_the_field_tells_all_five_numbers_and_what_the_probe_warned_of(material: Material) -> None:
    said = load_values()["calibration.summary"](material)
    assert isinstance(said, list)
    assert len(said) == 7
    ratio = TRUTH.sum() / expit(2 * ODDS).sum()
    assert f"Observed to expected (1: right): {ratio:.2f} (95% CI" in said[2]
    assert f"Brier score: {((expit(2 * ODDS) - TRUTH) ** 2).mean():.3f} (95% CI" in said[3]
    assert "enriched" in said[5]
    assert said[6] == "Scores are too extreme."


def test_without_findings_the_field_is_empty_and_nothing_is_drawn() -> None:
    results = sample_results()
    empty = Material(results, Path(), Card(), read_verdict(None))
    assert load_values()["calibration.summary"](empty) is None
    assert not load_panels()["reliability"](empty)
    assert not load_panels()["calibration_tables"](empty)


def test_a_number_that_could_not_be_is_told_with_its_reason() -> None:
    found = derive(table(odds=np.where(TRUTH, 5.0, -5.0)), ["view"], 0)
    (slope,) = (f for f in found if f.metric == "calibration_slope" and not f.group)
    assert told(slope).startswith("not given (the scores of positives and negatives")


def test_the_diagram_has_its_table_its_counts_and_its_words(material: Material) -> None:
    figure, numbers = load_panels()["reliability"](material)
    assert isinstance(figure, Figure)
    assert ET.fromstring(svg(figure.source)).tag.endswith("svg")  # noqa: S314  # our own picture
    assert "15 bins" in figure.alt
    assert isinstance(numbers, Table)
    order = np.argsort(ODDS)[:20]
    first = next(iter(lines(numbers).items()))
    assert first[0] == f"{100 * expit(2 * ODDS[order]).mean():.1f}%"
    assert first[1][0].endswith(f"{TRUTH[order].sum()}/20")
    assert len(numbers.rows) == 15


def test_groups_and_stresses_have_a_table_each(material: Material) -> None:
    by_group, stressed = load_panels()["calibration_tables"](material)
    assert isinstance(by_group, Table)
    assert isinstance(stressed, Table)
    assert set(lines(by_group)) == {"view frontal", "view lateral"}
    inside = np.arange(300) % 3 == 0
    ratio = TRUTH[inside].sum() / expit(2 * ODDS[inside]).sum()
    assert lines(by_group)["view lateral"][2].startswith(f"{ratio:.2f} ")
    assert list(lines(stressed)) == ["FGSM, ε = 2/255"]
    assert "how far they can be moved" in stressed.note


def test_the_section_renders_and_claims_no_more_than_it_shows(
    material: Material, tmp_path: Path
) -> None:
    page = render_html(material.results, tmp_path, edition=Edition(images=False))
    assert "Calibration by group, without stress" in page
    for name in ("reliability", "calibration_tables"):
        for block in load_panels()[name](material):
            words = block.caption + getattr(block, "note", "") + getattr(block, "alt", "")
            assert overclaims(words) == []

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
from audit.results import Finding, Note, ProbeReport
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


def test_the_field_says_in_words_what_the_intervals_leave_out(material: Material) -> None:
    said = load_values()["calibration.summary"](material)
    assert isinstance(said, list)
    # Scores twice as large as they should be: the slope is half of what it should be.
    assert said[0] == "Slope: its 95% interval lies below 1, the scores are too extreme."
    assert said[1].startswith("Intercept: its 95% interval")
    assert "enriched" in said[2]
    assert said[3] == "Scores are too extreme."
    assert len(said) == 4


@pytest.mark.parametrize(
    ("low", "high", "slope", "level"),
    [
        (-2.0, -1.0, "below 1, the scores are too extreme", "promise too many positives"),
        (1.5, 2.0, "above 1, the scores are not extreme enough", "promise too few positives"),
        (-0.5, 1.5, "holds 1; no error of spread was shown", "holds 0; no error of level"),
    ],
)
def test_words_follow_the_interval(low, high, slope, level) -> None:
    where = {"value": (low + high) / 2, "low": low, "high": high, "n": 99}
    found = tuple(Finding(metric=f"calibration_{m}", **where) for m in ("slope", "intercept"))
    results = sample_results().model_copy(update={"findings": found})
    said = load_values()["calibration.summary"](
        Material(results, Path(), Card(), read_verdict(None))
    )
    assert slope in said[0]
    assert level in said[1]


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
    figure, numbers, coverage = load_panels()["reliability"](material)
    assert isinstance(figure, Figure)
    assert ET.fromstring(svg(figure.source)).tag.endswith("svg")  # noqa: S314  # our own picture
    assert "no stress: 15 bins" in figure.alt
    assert "FGSM, ε = 2/255: " in figure.alt
    assert isinstance(numbers, Table)
    assert isinstance(coverage, Table)
    order = np.argsort(ODDS)[:20]
    first = [text(cell) for cell in numbers.rows[0]]
    assert first[0] == f"{100 * expit(2 * ODDS[order]).mean():.1f}%"
    assert first[1].endswith(f"{TRUTH[order].sum()}/20")
    assert len(numbers.rows) == 15
    assert numbers.columns[2] == "Mean probability, FGSM, ε = 2/255"


def test_clean_stress_and_groups_share_one_table(material: Material) -> None:
    (found,) = load_panels()["calibration_tables"](material)
    assert isinstance(found, Table)
    told = lines(found)
    assert list(told) == ["no stress", "FGSM, ε = 2/255", "view frontal", "view lateral"]
    ratio = TRUTH.sum() / expit(2 * ODDS).sum()
    assert told["no stress"][2].startswith(f"{ratio:.2f} ")
    assert told["no stress"][3].startswith(f"{((expit(2 * ODDS) - TRUTH) ** 2).mean():.3f} ")
    inside = np.arange(300) % 3 == 0
    ratio = TRUTH[inside].sum() / expit(2 * ODDS[inside]).sum()
    assert told["view lateral"][2].startswith(f"{ratio:.2f} ")
    assert "how far they can be moved" in found.note


def test_only_the_stress_with_the_largest_error_is_shown(material: Material) -> None:
    weak = [
        f.model_copy(update={"stress": "pgd", "value": (f.value or 0) / 2})
        for f in material.results.find("ece", stress="fgsm")
    ]
    results = material.results.model_copy(update={"findings": (*weak, *material.results.findings)})
    (found,) = load_panels()["calibration_tables"](
        Material(results, Path(), Card(), read_verdict(None))
    )
    assert [name for name in lines(found) if "2/255" in name] == ["FGSM, ε = 2/255"]


def test_the_section_renders_and_claims_no_more_than_it_shows(
    material: Material, tmp_path: Path
) -> None:
    page = render_html(material.results, tmp_path, edition=Edition(images=False))
    assert "Reliability, by bin" in page
    dutch = render_html(material.results, tmp_path, edition=Edition(language="nl", images=False))
    assert "Helling: het 95%-interval ligt onder 1" in dutch
    for name in ("reliability", "calibration_tables"):
        for block in load_panels()[name](material):
            words = block.caption + getattr(block, "note", "") + getattr(block, "alt", "")
            assert overclaims(words) == []

"""Section 4 as a reader meets it: predictive values, decision curve and errors per 1,000."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from audit.findings import derive
from audit.results import Finding
from reports.blocks import Cell, Figure, Table, Text
from reports.card import Card, Performance
from reports.material import Material
from reports.numbers import amount, interval
from reports.panels.registry import load_panels
from reports.render import render_html
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.reports.page import read_page
from tests.reports.test_figures import svg
from tests.sample_results import sample_results
from tests.tables import attack, evidence, rows, table

# 100 positives and 300 negatives: 85 hits, 30 false alarms; the attack fools 25 of the hits.
TARGETS = [1] * 100 + [0] * 300
CALLED = [1] * 85 + [0] * 15 + [1] * 30 + [0] * 270


def planted(prevalences: tuple[float, ...]) -> list[Finding]:
    gaps = np.where(np.array(CALLED) == 1, 1.5, -1.5) + np.linspace(-1, 1, 400)
    clean = evidence(rows(range(400), np.stack([0 * gaps, gaps], axis=1)), range(400))
    hit = attack(TARGETS, CALLED, set(range(25)))
    whole = replace(table(TARGETS, CALLED), runs=(clean, hit))
    return derive(whole, None, 0, 300, prevalences)


def material(prevalences: tuple[float, ...] = (), card: tuple[float, ...] = ()) -> Material:
    results = sample_results().model_copy(update={"findings": tuple(planted(prevalences))})
    declared = Card(performance=Performance(prevalences=list(card)))
    return Material(results, Path(), declared, read_verdict(None))


@pytest.fixture(scope="module")
def full() -> Material:
    return material((0.02, 0.1, 0.2), (0.02, 0.1, 0.2))


def texts(row: list[str | Cell]) -> list[str]:
    return [f"{c.text} {c.sub}".strip() if isinstance(c, Cell) else c for c in row]


def test_predictive_values_are_printed_with_limits_at_every_declared_prevalence(full) -> None:
    (found,) = load_panels()["predictive_values"](full)
    assert isinstance(found, Table)
    rows_ = [texts(row) for row in found.rows]
    assert [row[0] for row in rows_] == ["2%", "10%", "20%"]
    # By hand at 10%: 0.1·.85 of .1·.85 + .9·.1; missed 1000·.1·.15; false alarms 1000·.9·.1.
    assert rows_[1][1].startswith(f"{100 * 0.085 / 0.175:.1f}% ")
    assert rows_[1][3].startswith("15.0 ")
    assert rows_[1][4].startswith("90.0 ")
    assert all("–" in text for text in rows_[1][1:])


def test_where_card_and_audit_declare_different_shares_the_audits_are_shown_and_it_is_said() -> (
    None
):
    table_, said = load_panels()["predictive_values"](material((0.02, 0.1), (0.05, 0.1, 0.3)))
    assert isinstance(table_, Table)
    assert [row[0] for row in table_.rows] == ["2%", "10%"]
    assert isinstance(said, Text)
    assert "card.yaml declares 5%, 10%, 30%; the audit was run for 2%, 10%" in said.text
    assert "--prevalence 5%,10%,30%" in said.text


def test_with_a_card_alone_there_are_no_intervals_and_the_flag_is_named() -> None:
    (found,) = load_panels()["predictive_values"](material((), (0.02, 0.1, 0.2)))
    assert isinstance(found, Table)
    assert "--prevalence 2%,10%,20%" in found.note
    assert "interval not computed" in found.note
    assert texts(found.rows[1]) == ["10%", "48.6%", "98.18%", "15.0"]


def test_without_any_prevalence_it_is_said_once_and_no_harm_is_told() -> None:
    nothing = material()
    (said,) = load_panels()["predictive_values"](nothing)
    assert isinstance(said, Text)
    assert said.text.startswith("NOT SUPPLIED")
    assert "--prevalence" in said.text
    assert load_panels()["harm"](nothing) == []


def test_harm_is_told_for_every_stress_beside_none(full) -> None:
    missed, alarms = load_panels()["harm"](full)
    assert isinstance(missed, Table)
    assert isinstance(alarms, Table)
    rows_ = {texts(row)[0]: texts(row)[2:] for row in missed.rows}
    # 15 missed of 100 without stress, 40 under the attack and in the worst case.
    assert rows_["no stress"][1].startswith("15.0 ")
    assert rows_["FGSM, ε = 2/255"][1].startswith("40.0 ")
    assert [name for name in rows_ if name.startswith("worst case")]
    assert missed.columns[2:] == ["Prevalence 2%", "Prevalence 10%", "Prevalence 20%"]


def test_the_decision_curve_has_a_picture_with_words_and_a_table(full) -> None:
    picture, found = load_panels()["decision_curve"](full)
    assert isinstance(picture, Figure)
    assert ET.fromstring(svg(picture.source)).tag.endswith("svg")  # noqa: S314  # our own picture
    assert "net benefit of the model" in picture.alt
    assert isinstance(found, Table)
    at_half = next(texts(row) for row in found.rows if row[0] == "0.5")
    benefit = (85 - 30) / 400  # every score keeps the side of its call
    assert at_half[1].startswith(amount("net_benefit", benefit))
    assert at_half[2] == "−.500"


def test_fields_state_ratios_points_and_where_the_model_is_of_use(full) -> None:
    values = load_values()
    plus, minus = values["clean.likelihood_ratios"](full)
    assert plus.startswith("LR+: 8.5 (95% CI ")
    assert minus.startswith("LR−: 0.167 (95% CI ")
    points = values["clean.operating_points"](full)
    assert len(points) == 5
    assert points[0].startswith("Sensitivity at a specificity of 0.9: ")
    useful = values["clean.decision_curve"](full)
    assert "0.5" in useful
    for text in (*points, plus, minus, useful):
        assert not list(overclaims(text))


def test_an_interval_around_zero_is_not_written_with_a_dash_that_reads_as_a_sign() -> None:
    found = Finding(metric="net_benefit", value=0.01, low=-0.05, high=0.07, n=10)
    assert interval(found) == "−.050 to .070"
    assert amount("likelihood_ratio_positive", 1234.4) == "1234"
    assert amount("missed_per_1000", 4.96) == "5.0"


def test_the_whole_report_tells_harm_only_where_a_prevalence_was_declared(full, tmp_path) -> None:
    title = "Missed per 1,000 patients, by stress"
    for one, told in ((full, True), (material(), False)):
        page = read_page(render_html(one.results, tmp_path, card=one.card))
        assert (title in page.text) is told
        assert "Net benefit per patient" in page.text

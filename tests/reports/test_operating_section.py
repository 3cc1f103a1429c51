"""Section 4 as a reader meets it: predictive values, decision curve and errors per 1,000."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy.stats import beta, norm

from audit.curves import curves_of
from audit.evidence import Predictions
from audit.findings import derive
from audit.results import Finding
from reports.blocks import Block, Cell, Figure, Table, Text
from reports.card import Card, Performance
from reports.edition import Edition
from reports.material import Material
from reports.numbers import amount, interval
from reports.panels.registry import load_panels
from reports.render import render_html
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.reports.page import read_page
from tests.reports.test_figures import svg
from tests.sample_results import proportion, sample_results
from tests.tables import attack, evidence, rows, table

# 100 positives and 300 negatives: 85 hits, 30 false alarms; the attack fools 25 of the hits.
TARGETS = [1] * 100 + [0] * 300
CALLED = [1] * 85 + [0] * 15 + [1] * 30 + [0] * 270


def predictions() -> Predictions:
    gaps = np.where(np.array(CALLED) == 1, 1.5, -1.5) + np.linspace(-1, 1, 400)
    clean = evidence(rows(range(400), np.stack([0 * gaps, gaps], axis=1)), range(400))
    hit = attack(TARGETS, CALLED, set(range(25)))
    return replace(table(TARGETS, CALLED), runs=(clean, hit))


def material(
    prevalences: tuple[float, ...] = (), card: tuple[float, ...] = (), **stated: float
) -> Material:
    sample, whole = sample_results(), predictions()
    results = sample.model_copy(
        update={
            "findings": tuple(derive(whole, None, 0, 300, prevalences)),
            "curves": tuple(curves_of(whole)),
        }
    )
    declared = Card(performance=Performance(prevalences=list(card), **stated))
    return Material(results, Path(), declared, read_verdict(None))


@pytest.fixture(scope="module")
def full() -> Material:
    return material((0.02, 0.1, 0.2), (0.02, 0.1, 0.2))


def texts(row: list[str | Cell]) -> list[str]:
    return [f"{c.text} {c.sub}".strip() if isinstance(c, Cell) else c for c in row]


def rows_of(found: Block) -> list[list[str]]:
    assert isinstance(found, Table)
    return [texts(row) for row in found.rows]


def test_predictive_values_are_printed_with_limits_at_every_declared_prevalence(full) -> None:
    (found,) = load_panels()["predictive_values"](full)
    told = rows_of(found)
    assert [row[:2] for row in told] == [
        ["2%", "no stress"],
        ["10%", "no stress"],
        ["20%", "no stress"],
        ["10%", "FGSM, ε = 2/255"],
    ]
    # By hand at 10%: 0.1·.85 of .1·.85 + .9·.1; missed 1000·.1·.15; false alarms 1000·.9·.1.
    assert told[1][2].startswith(f"{100 * 0.085 / 0.175:.1f}% ")
    assert told[1][4].startswith("15.0 ")
    assert told[1][5].startswith("90.0 ")
    assert all("–" in text for text in told[1][2:])
    assert told[3][4].startswith("40.0 ")  # 25 of the hits are lost: 1000·.1·.4


def test_prevalences_of_the_card_give_the_same_numbers_as_an_audit_run_for_them(full) -> None:
    (found,) = load_panels()["predictive_values"](material((), (0.02, 0.1, 0.2)))
    assert rows_of(found) == rows_of(load_panels()["predictive_values"](full)[0])


def test_prevalences_of_card_and_audit_stand_side_by_side() -> None:
    (found,) = load_panels()["predictive_values"](material((0.02, 0.1), (0.05, 0.1, 0.3)))
    assert [row[0] for row in rows_of(found)] == ["2%", "5%", "10%", "30%", "5%"]


def test_of_many_prevalences_five_are_printed_with_the_lowest_and_the_highest() -> None:
    many = tuple(step / 100 for step in range(1, 13))
    (found,) = load_panels()["predictive_values"](material((), many))
    told = [row[0] for row in rows_of(found)][:-1]
    assert len(told) == 5
    assert (told[0], told[-1]) == ("1%", "12%")


def test_without_any_prevalence_it_is_said_once_and_no_harm_is_told() -> None:
    (said,) = load_panels()["predictive_values"](material())
    assert isinstance(said, Text)
    assert said.text.startswith("NOT SUPPLIED")
    assert "--prevalence" in said.text


def test_fewer_than_three_prevalences_are_named_as_such() -> None:
    (found,) = load_panels()["predictive_values"](material((0.1,)))
    assert "Fewer than three prevalences" in found.note
    (found,) = load_panels()["predictive_values"](material((0.1, 0.2, 0.3)))
    assert "Fewer than three prevalences" not in found.note


def test_the_lines_have_a_picture_with_words_and_the_deployed_rule(full) -> None:
    (picture,) = load_panels()["performance_lines"](full)
    assert isinstance(picture, Figure)
    drawn = svg(picture.source)
    assert ET.fromstring(drawn).tag.endswith("svg")  # noqa: S314  # our own picture
    assert "ROC line, no stress: AUROC ." in picture.alt
    assert "ROC line, FGSM, ε = 2/255: AUROC ." in picture.alt
    assert "net benefit of the model" in picture.alt
    assert "at a prevalence of 10%" in picture.caption
    assert "No line shows" in picture.caption


def test_an_audit_without_lines_still_has_its_decision_curve(full) -> None:
    old = replace(full, results=full.results.model_copy(update={"curves": ()}))
    (picture,) = load_panels()["performance_lines"](old)
    assert "ROC" not in picture.alt
    assert picture.width == "half"
    assert load_panels()["performance_lines"](plain_sample()) == []


def plain_sample() -> Material:
    return Material(sample_results(), Path(), Card(), read_verdict(None))


def test_the_table_under_the_lines_names_the_attack_that_lowers_the_auroc_most(full) -> None:
    (found,) = load_panels()["worst_settings"](full)
    told = {row[0]: row[1:] for row in rows_of(found)}
    assert list(told) == ["no stress", "FGSM, ε = 2/255"]
    assert told["no stress"][1].endswith("85/100")
    assert told["FGSM, ε = 2/255"][1].endswith("60/100")
    assert told["FGSM, ε = 2/255"][2].endswith("270/300")


def test_the_decision_curve_prints_eight_thresholds_and_says_how_many_there_are(full) -> None:
    (found,) = load_panels()["decision_curve"](material())
    told = rows_of(found)
    at_half = next(row for row in told if row[0] == ".5")
    benefit = (85 - 30) / 400  # every score keeps the side of its call
    assert at_half[1].startswith(amount("net_benefit", benefit))
    assert at_half[2] == "−.500"
    assert len(told) == 8
    assert "8 of 14 thresholds; all are in audit.json" in found.note
    assert "at the share of positives of this set" in found.caption
    (declared,) = load_panels()["decision_curve"](full)
    assert "at a prevalence of 10%" in declared.caption
    # at 10%: .1·.85 hits less .9·.1 false alarms, one for one at a threshold of .5
    told = rows_of(declared)
    assert next(row for row in told if row[0] == ".5")[1].startswith("−.005")


def test_the_two_by_two_table_adds_up_by_label(full) -> None:
    (found,) = load_panels()["two_by_two"](full)
    assert [row[1:] for row in rows_of(found)] == [["85", "15", "100"], ["30", "270", "300"]]


def test_accuracy_stands_beside_always_saying_the_commonest_class(full) -> None:
    right, always = load_values()["clean.accuracy"](full)
    assert right.startswith("88.8% (95% CI")  # 355 of 400
    assert always == 'Always answering "normal" would reach 84.8% (339/400).'


@pytest.mark.parametrize(
    ("count", "word"), [(49, "RED"), (50, "AMBER"), (99, "AMBER"), (100, "no mark")]
)
def test_few_events_are_named_in_words_by_a_convention_that_is_said(count, word) -> None:
    found = (proportion("sensitivity", count // 2, count), proportion("specificity", 90, 100))
    results = sample_results().model_copy(update={"findings": found})
    said = load_values()["clean.sample_size"](Material(results, Path(), Card(), read_verdict(None)))
    assert said[-1].startswith(f"{count} fractured (events): {word}, by our convention")


def test_achieved_width_is_set_beside_the_planned_one(full) -> None:
    said = load_values()["clean.sample_size"](full)
    low, high = beta.ppf(0.025, 85, 16), beta.ppf(0.975, 86, 15)
    assert said[0].startswith("Planned: NOT SUPPLIED")
    assert f"sensitivity ± {100 * (high - low) / 2:.1f} points (n = 100)" in said[1]
    strict = load_values()["clean.sample_size"](material(planned_half_width=0.05))
    need = int(np.ceil(norm.ppf(0.975) ** 2 * 0.85 * 0.15 / 0.05**2))
    assert strict[0].startswith("Planned: ± 5.0 points (card.yaml). Not reached for sensitivity")
    assert strict[0].endswith(f"about {need} cases.")
    easy = load_values()["clean.sample_size"](material(planned_half_width=0.2))
    assert easy[0] == "Planned: ± 20.0 points (card.yaml). Reached."


def chosen(**training: object) -> list[Block]:
    sample = sample_results()
    model = sample.model.model_copy(update={"training": training})
    results = sample.model_copy(update={"model": model})
    return list(load_panels()["chosen_here"](Material(results, Path(), Card(), read_verdict(None))))


def test_a_model_chosen_on_the_images_it_is_judged_on_is_called_optimistic() -> None:
    assert chosen() == []
    assert chosen(as_published=False, best_of=1) == []
    (seven,) = chosen(recipe={"best_of": 7})
    assert "the best of 7 models" in seven.text
    (published,) = chosen(as_published=True)
    assert "every number here is too good" in published.text


def test_fields_state_ratios_points_and_where_the_model_is_of_use(full) -> None:
    values = load_values()
    plus, minus = values["clean.likelihood_ratios"](full)
    assert plus.startswith("LR+: 8.5 (95% CI ")
    assert minus.startswith("LR−: 0.167 (95% CI ")
    points = values["clean.operating_points"](full)
    assert len(points) == 4
    assert points[0].startswith("Sensitivity at a specificity of 90%: ")
    useful = values["clean.decision_curve"](full)
    assert "at a prevalence of 10%" in useful
    for text in (*points, plus, minus, useful):
        assert not list(overclaims(text))


def test_an_interval_around_zero_is_not_written_with_a_dash_that_reads_as_a_sign() -> None:
    found = Finding(metric="net_benefit", value=0.01, low=-0.05, high=0.07, n=10)
    assert interval(found) == "−.050 to .070"
    assert amount("likelihood_ratio_positive", 1234.4) == "1234"
    assert amount("missed_per_1000", 4.96) == "5.0"


def test_thresholds_of_use_are_told_as_ranges(full) -> None:
    def benefit(at: float, value: float) -> list[Finding]:
        where = {"params": {"threshold": at}}
        return [
            Finding(metric="net_benefit", value=value, low=value - 0.01, high=1, n=9, **where),
            Finding(metric="net_benefit_of_all", value=0.02, n=9, **where),
        ]

    levels = {0.1: 0.5, 0.2: 0.5, 0.3: 0.0, 0.4: 0.5, 0.5: 0.5, 0.6: 0.5, 0.7: 0.015}
    found = tuple(f for at, value in levels.items() for f in benefit(at, value))
    plain = replace(full, results=full.results.model_copy(update={"findings": found}))
    said = load_values()["clean.decision_curve"](plain)
    assert "at thresholds of .1 to .2, .4 to .6, of those looked at from .1 to .7" in said


def test_the_whole_report_prints_section_4_once_and_in_dutch(full, tmp_path) -> None:
    page = read_page(render_html(full.results, tmp_path, card=full.card))
    assert page.text.count("Predictive values and errors at declared prevalences") == 1
    assert page.text.count("85.0% (95% CI 76.5–91.4%; 85/100)") == 1
    dutch = read_page(
        render_html(full.results, tmp_path, card=full.card, edition=Edition(language="nl"))
    )
    assert "Voorspellende waarden en fouten bij opgegeven prevalenties" in dutch.text
    assert "85,0%" in dutch.text
    assert not overclaims(" ".join(page.words))

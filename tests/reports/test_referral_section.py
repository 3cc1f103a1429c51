"""Section 5 as a reader meets it: every printed number against the planted counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from audit.findings import derive
from audit.results import Finding, Note, ProbeReport
from reports.blocks import Cell, Figure, Table, Text
from reports.card import Card
from reports.edition import Edition
from reports.material import Material
from reports.panels.registry import load_panels
from reports.referral import ENOUGH
from reports.render import render_html
from reports.values.registry import load_values
from reports.verdict import read_verdict
from reports.wording import overclaims
from tests.reports.page import read_page
from tests.reports.test_figures import svg
from tests.sample_results import proportion, sample_results
from tests.tables import attack, evidence, rows, table
from tests.test_findings_handled import referred

# 100 fractures and 300 normals; log-odds 8 (above 99.5%) where sure, 2 (p = 0.88) where not.
# Sure: 70 fractures called right, 2 missed, 200 normals called right, 3 called fractures.
SURE = [(1, 1, 70), (1, 0, 2), (0, 0, 200), (0, 1, 3)]
UNSURE = [(1, 1, 20), (1, 0, 8), (0, 0, 90), (0, 1, 7)]
LINES = [(t, c, gap) for part, gap in ((SURE, 8.0), (UNSURE, 2.0)) for t, c, n in part
         for _ in range(n)]  # fmt: skip


def planted() -> list[Finding]:
    targets, called = [t for t, _, _ in LINES], [c for _, c, _ in LINES]
    gaps = np.array([gap if c else -gap for _, c, gap in LINES])
    logits = np.stack([-gaps / 2, gaps / 2], axis=1)
    views = [{"view": "frontal" if i % 2 else "lateral"} for i in range(len(LINES))]
    whole = table(targets, called, attributes=views)
    clean = evidence(rows(range(400), logits), range(400))
    unsure = {i for i, (_, _, gap) in enumerate(LINES) if gap < 8}
    filtered = evidence(referred(rows(range(400), logits), unsure), range(400), defence="referral")
    hit = attack(targets, called, set(range(30)))
    hidden = attack(targets, called, set(range(30)), defence="referral")
    hidden = replace(hidden, rows=referred(hidden.rows, unsure | set(range(10))))
    return derive(replace(whole, runs=(clean, hit, filtered, hidden)), None, 0)


@pytest.fixture(scope="module")
def material() -> Material:
    results = sample_results().model_copy(update={"findings": tuple(planted())})
    return Material(results, Path(), Card(), read_verdict(None))


def cells(found: Table) -> dict[str, list[str]]:
    """First column -> the texts of the others, each with its second line."""

    def text(cell: str | Cell) -> str:
        return cell if isinstance(cell, str) else f"{cell.text} {cell.sub}".strip()

    return {text(row[0]): [text(cell) for cell in row[1:]] for row in found.rows}


def test_the_table_of_cut_offs_prints_what_was_planted(material: Material) -> None:
    found, by_group, stressed = load_panels()["cut_offs"](material)
    by_cut_off = cells(found)
    assert list(by_cut_off) == ["50.0%", "80.0%", "90.0%", "95.0%", "99.0%", "99.5%", "99.9%"]
    alone, accuracy, missed, of_all, below = by_cut_off["99.5%"]
    assert alone.startswith("68.8%")
    assert alone.endswith("275/400")
    assert accuracy.startswith("98.2%")
    assert accuracy.endswith("270/275")
    # one-sided 95% of 2 in 275, by scipy's beta.ppf(0.95, 3, 273): 2.27%
    assert missed == "2/275 at most 2.27%"
    assert of_all.startswith("2/100 at most 6.16%")
    assert below == "not shown"
    assert by_cut_off["80.0%"][0].endswith("400/400")
    assert isinstance(by_group, Text)
    assert by_group.text.startswith("2 of 2 groups had missed fractured there")
    assert "view frontal 1/" in by_group.text
    # attack(): logits of ±2 make log-odds of 4, below 99.5%; 5 were surely wrong without it
    assert isinstance(stressed, Text)
    assert "FGSM, ε = 2/255: 1.2% (95% CI 0.4–2.9%; 5/400)" in stressed.text


@pytest.mark.parametrize(("n", "word"), [(ENOUGH, "shown"), (ENOUGH - 1, "not shown")])
def test_none_missed_of_598_shows_a_rate_below_half_a_per_cent_and_of_597_does_not(n, word) -> None:
    high = 1 - 0.05 ** (1 / n)  # one-sided Clopper-Pearson of none in n
    where = {"params": {"cutoff": 0.995}, "n": n, "events": 0, "low": 0.0, "high": high}
    found = (
        Finding(metric="missed_above", value=0.0, **where),
        proportion("handled_above", n, 1000, params={"cutoff": 0.995}),
    )
    results = sample_results().model_copy(update={"findings": found})
    made = Material(results, Path(), Card(), read_verdict(None))
    (printed, *_) = load_panels()["cut_offs"](made)
    assert cells(printed)["99.5%"][4] == word
    said = load_values()["calibration.cut_offs"](made)
    assert ("was not shown" in said[1]) is (word == "not shown")
    assert f"at least {ENOUGH} cases" in said[2]


def test_groups_in_which_nobody_was_missed_are_told_by_their_upper_limit() -> None:
    params = {"cutoff": 0.995}
    found = tuple(
        proportion("missed_above", 0, n, params=params, group={"view": name})
        for name, n in (("frontal", 200), ("lateral", 20))
    )
    whole = proportion("handled_above", 220, 300, params=params)
    results = sample_results().model_copy(update={"findings": (whole, *found)})
    _, said = load_panels()["cut_offs"](Material(results, Path(), Card(), read_verdict(None)))
    assert said.text.startswith("None of 2 groups had a missed fractured there")
    assert said.text.index("view lateral 0/20") < said.text.index("view frontal 0/200")


def test_the_curve_is_drawn_with_its_cut_off_its_table_and_its_words(material: Material) -> None:
    figure, _bins, numbers = load_panels()["reliability"](material)
    assert isinstance(figure, Figure)
    root = ET.fromstring(svg(figure.source))  # noqa: S314  # our own picture
    assert root.tag.endswith("svg")
    assert "does not show" in figure.caption
    assert "to 5.0% of all" in figure.alt  # 20 wrong of 400
    assert isinstance(numbers, Table)
    assert cells(numbers)["50%"][1:] == ["100%", "5.0% (3.1–7.6%) · 20/400"]


def test_ways_to_refer_share_one_table_of_what_is_left(material: Material) -> None:
    (found,) = load_panels()["handled_alone"](material)
    plain, worst = [[f"{c.text} {c.sub}".strip() for c in row] for row in found.rows]
    assert plain[0] == "referral by cut-off no stress"
    share, accuracy, missed, unseen, fewer = plain[1:]
    assert share.startswith("31.2%")
    assert share.endswith("125/400")
    assert accuracy.endswith("270/275")
    assert missed == "2/275 at most 2.27%"
    assert unseen.endswith("5/400")
    assert fewer.startswith("−3.8 points")  # 15 of 20 errors are handed over
    assert worst[0] == "referral by cut-off FGSM, ε = 2/255"
    assert worst[4].endswith("25/400")


def test_spot_checks_are_a_line_for_each_level(material: Material) -> None:
    def size(level: float, allowed: int, value: float, **more: object) -> Finding:
        params = {"level": level, "misses_allowed": allowed, "confidence": 0.95, **more}
        return Finding(metric="spot_check_size", params=params, value=value, n=281)

    report = ProbeReport(
        probe="spot_check",
        findings=(
            size(0.005, 0, 598.0),
            size(0.005, 1, 947.0),
            size(0.005, 0, 275.0, cutoff=0.995),
            Finding(
                metric="spot_check_size",
                params={"level": 0.005, "misses_allowed": 1, "confidence": 0.95, "cutoff": 0.995},
                n=281,
                reason="1 misses among 281 cases are not below the level",
            ),
        ),
        notes=(Note(code="spot-check-plan", level="info", text="598 cases re-read …"),),
        details={"cutoff": 0.995},
    )
    results = material.results.model_copy(update={"probes": (report,)})
    words, found = load_panels()["spot_checks"](
        Material(results, Path(), Card(), read_verdict(None))
    )
    assert words.text == "598 cases re-read …"
    assert cells(found) == {
        "below 0.5%": ["598 of this set 275 of 281", "947 of this set – of 281"]
    }
    assert "above 99.5%" in found.note


def test_no_table_of_zeros_before_and_after_a_defence_that_changes_no_decision(
    material: Material,
) -> None:
    (words,) = load_panels()["defence_pairs"](material)
    assert "no decision changes" in words.text


def test_the_fields_of_sections_5_and_13_are_filled_and_claim_nothing(material: Material) -> None:
    known = load_values()
    alone = known["calibration.alone"](material)
    lines = [
        *known["calibration.cut_offs"](material),
        *([alone] if isinstance(alone, str) else alone),
        *known["calibration.referral"](material),
    ]
    text = " ".join(lines)
    assert "Above 99.5%: 68.8%" in text
    assert "2/275, at most 2.27%" in text
    assert "1.2% (95% CI 0.4–2.9%; 5/400)" in text
    assert not overclaims(text)


def test_an_audit_from_before_says_not_computed_instead(tmp_path: Path) -> None:
    page = read_page(render_html(sample_results(tmp_path), tmp_path))
    assert "Nothing was referred in this run" in page.text


def test_the_whole_report_prints_section_5(material: Material, tmp_path: Path) -> None:
    page = read_page(render_html(material.results, tmp_path, edition=Edition(images=False)))
    for words in ("Left to the model alone, by cut-off", "Wrong among the surest", "GDPR Art 22"):
        assert words in page.text
    assert not page.unclosed


def test_the_number_of_cases_without_an_error_is_the_least_that_suffices() -> None:
    assert 0.995**ENOUGH <= 0.05 < 0.995 ** (ENOUGH - 1)


def test_the_quality_of_the_pictures_is_told_with_the_first_cases_to_look_at(
    material: Material, tmp_path: Path
) -> None:
    poor = proportion("poor_quality", 20, 400)
    report = ProbeReport(
        probe="quality",
        findings=(
            poor,
            poor.model_copy(update={"params": {"beyond": "blurred"}}),
            proportion("accuracy_sound", 330, 380),
            proportion("accuracy_poor", 9, 20),
        ),
        notes=(
            Note(code="quality-limits", level="info", text="Poor as a picture: blur above 0.8."),
        ),
        details={"to_review": 20, "review": {f"c{k:04}": ["blurred"] for k in range(20)}},
    )
    results = material.results.model_copy(update={"probes": (report,)})
    page = read_page(render_html(results, tmp_path, edition=Edition(images=False)))
    assert "5.0% (95% CI 3.1–7.6%; 20/400)" in page.text
    told = "For a radiologist to look at: c0000, c0001, c0002, c0003, c0004, c0005. 14 more are in"
    assert told in page.text

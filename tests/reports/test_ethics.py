"""The ethics chapter: each question beside this run's numbers and the site's own words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.results import Finding, Note, ProbeReport, Results
from reports.blocks import Cell, Table, Text
from reports.card import Card
from reports.ethics import ANSWERS
from reports.material import Material
from reports.panels.registry import load_panels
from reports.texts import text_data
from reports.verdict import read_verdict
from tests.sample_results import sample_results


def chapter(results: Results | None = None, **card: Any) -> dict[str, list[str]]:
    """Question -> what was found, what the site states."""
    blocks = load_panels()["ethics"](
        Material(results or sample_results(), Path(), Card.model_validate(card), read_verdict(None))
    )
    (table,) = [block for block in blocks if isinstance(block, Table)]
    heads = {entry["head"]: entry["id"] for entry in text_data("ethics.yaml")}
    return {
        heads[row[0].text]: [str(row[1]), str(row[2])]
        for row in table.rows
        if isinstance(row[0], Cell)
    }


def test_the_five_questions_of_the_thesis_are_asked_and_its_own_gap_is_told() -> None:
    assert list(chapter()) == [
        "secondary_use", "autonomy", "liability", "radiologist", "explainability",
    ]  # fmt: skip
    blocks = load_panels()["ethics"](Material(sample_results(), Path(), Card(), read_verdict(None)))
    (rest,) = [block for block in blocks if isinstance(block, Text)]
    assert "Article 9(2)(h) and (j)" in rest.text


def test_without_a_card_no_statement_is_invented() -> None:
    assert {stated for _, stated in chapter().values()} == {"NOT SUPPLIED"}


def test_the_numbers_of_this_run_stand_beside_the_question_they_bear_on() -> None:
    found = chapter()
    assert "400 images" in found["secondary_use"][0]
    assert "not told apart" in found["secondary_use"][0]
    assert "15/61" in found["liability"][0]
    assert "answered every image" in found["autonomy"][0]
    assert found["radiologist"][0] == "Not computed in this run."


def test_referral_and_the_cut_off_are_told_where_they_were_computed() -> None:
    sample = sample_results()
    above = {"params": {"cutoff": 0.995}, "n": 70, "low": 0.0}
    more = (
        Finding(metric="referral_rate", value=0.1, low=0.07, high=0.13, n=400, events=40),
        Finding(metric="handled_above", value=0.175, high=0.2, events=70, **above),
        Finding(metric="missed_above", value=0.0, high=0.0418, events=0, **above),
    )
    found = chapter(sample.model_copy(update={"findings": (*sample.findings, *more)}))
    assert "40/400" in found["autonomy"][0]
    assert "0/70, at most 4.18%" in found["radiologist"][0]


def test_warnings_on_the_maps_are_counted_and_silence_is_called_no_proof() -> None:
    def told(level: str) -> str:
        note = Note(code="x", level=level, text="t")  # type: ignore[arg-type]
        report = ProbeReport(probe="explanations", notes=(note, note))
        found = chapter(sample_results().model_copy(update={"probes": (report,)}))
        return found["explainability"][0]

    assert told("warning") == "2 warnings on the maps stand in section 9."
    assert "no proof" in told("info")
    assert "not tested" in chapter()["explainability"][0]


def test_a_statement_of_the_same_section_is_pointed_at_and_another_is_quoted() -> None:
    found = chapter(
        accountability={"liability": "The hospital"}, review={"rule": "Everything is read"}
    )
    assert found["liability"][1] == "Stated above."
    assert found["radiologist"][1] == "Everything is read (§5)"


def test_every_answer_is_a_field_of_the_card() -> None:
    for places in ANSWERS.values():
        for place in places:
            assert Card().get(place) is None

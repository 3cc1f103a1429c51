"""The law as data: dated, sourced, and never more certain than somebody's reading."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from reports.blocks import Table
from reports.card import Card
from reports.language import speaking
from reports.law import Entry, law_as_at, law_entries, law_statement
from reports.material import Material
from reports.panels.registry import load_panels
from reports.texts import text_data
from reports.verdict import read_verdict
from tests.sample_results import sample_results

# What was read in a stored copy of the source, and what was not: written out by hand.
SEEN = """GDPR Art 9(1)|GDPR Art 9(2)(h)|GDPR Art 9(2)(i)|GDPR Art 9(2)(j)|GDPR Art 9(3)|
GDPR Art 9(4)|GDPR Art 6|GDPR Art 22, C-634/21|UAVG 24|WGBO 7:458|AIA Art 9(8)|AIA Art 26|
AIA Annex IV 2(g)|AIA Art 113|AIA Art 4a|MDR Annex VIII rule 11|MDR Art 5(5)|
GDPR Art 4(15)|GDPR Art 5(1)(e)|GDPR Art 22(4)|GDPR Art 35(3)(b)|GDPR Art 89(1)|AIA Art 27|
AIA Art 86|AIA Annex III 5(d)|PLD|AIA Art 14|AIA Art 26(11)|AIA Art 72|GDPR Art 5(1)(b)"""
OPEN = """GDPR Art 4(7)|GDPR Art 13–15|GDPR Art 25, 28, 30, 32|
UAVG 30|AIA Art 6(1)|AIA Art 9|AIA Art 10|AIA Art 13|AIA Art 15|
AIA Annex IV|EHDS Art 71"""


def listed(text: str) -> set[str]:
    return {part.strip() for part in text.split("|")}


def tables() -> list[Table]:
    material = Material(sample_results(), Path(), Card(), read_verdict(None))
    panels = load_panels()
    found = [block for name in ("law_privacy", "law_devices") for block in panels[name](material)]
    return [table for table in found if isinstance(table, Table)]


def test_only_what_was_read_is_called_seen() -> None:
    status = {entry.clause: entry.status for entry in law_entries()}
    assert {clause for clause, word in status.items() if word == "seen"} == listed(SEEN)
    assert {clause for clause, word in status.items() if word != "seen"} == listed(OPEN)


@pytest.mark.parametrize("entry", law_entries(), ids=lambda entry: entry.clause)
def test_an_entry_is_one_sourced_sentence_with_a_day_when_it_was_seen(entry: Entry) -> None:
    assert entry.source
    assert entry.fact.endswith(".")
    assert len(re.findall(r"\.(?=\s[A-Z])", entry.fact)) <= 1
    if entry.status == "seen":
        assert date.fromisoformat(entry.checked) >= date.fromisoformat(law_as_at())
    else:
        assert entry.checked == ""


def test_the_two_tables_hold_every_entry_once_and_each_says_that_no_jurist_read_it() -> None:
    clauses = [str(row[0]) for table in tables() for row in table.rows]
    assert sorted(clauses) == sorted(entry.clause for entry in law_entries())
    days = [entry.checked for entry in law_entries() if entry.checked]
    for table in tables():
        assert table.note.startswith(f"Law as at {min(days)}, not checked by a jurist.")
        assert table.note.endswith("No legal advice.")


def test_a_jurist_is_named_once_the_law_data_names_one_and_the_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    review = text_data("law/review.yaml")
    assert set(review.values()) == {None}
    monkeypatch.setitem(review, "by", "A. Jurist")
    assert law_statement().endswith("not checked by a jurist")
    monkeypatch.setitem(review, "day", date(2027, 1, 31))
    assert law_statement().endswith("checked by A. Jurist on 2027-01-31")


def test_the_dutch_edition_tells_the_law_in_dutch() -> None:
    with speaking("nl"):
        privacy, _devices = tables()
    text = " ".join(str(row[1]) for row in privacy.rows)
    assert "Gegevens over gezondheid" in text
    assert "personal data" not in text
    assert str(privacy.rows[0][0]).startswith("AVG art. ")

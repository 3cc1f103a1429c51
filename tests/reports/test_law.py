"""The law as data: dated, sourced, and never more certain than somebody's reading."""

from __future__ import annotations

import re
from datetime import date

import pytest

from reports.law import law_as_at, law_entries

# What was read in a stored copy of the source, and what was not: written out by hand.
SEEN = """GDPR Art 9(1)|GDPR Art 9(2)(h)|GDPR Art 9(2)(i)|GDPR Art 9(2)(j)|GDPR Art 9(3)|
GDPR Art 9(4)|GDPR Art 6|GDPR Art 22, C-634/21|UAVG 24|WGBO 7:458|AIA Art 9(8)|AIA Art 26|
AIA Annex IV 2(g)|AIA dates|AIA Art 4a|MDR Annex VIII rule 11|MDR Art 5(5)"""
OPEN = """GDPR Art 4(15)|GDPR Art 5(1)(b)|GDPR Art 22(4)|GDPR Art 35(3)(b)|GDPR Art 89(1)|
UAVG 30|AIA Annex III 5(d)|AIA Art 6(1)|EHDS Art 71|PLD"""


def listed(text: str) -> set[str]:
    return {part.strip() for part in text.split("|")}


def test_only_what_was_read_is_called_seen() -> None:
    status = {entry.clause: entry.status for entry in law_entries()}
    assert {clause for clause, word in status.items() if word == "seen"} == listed(SEEN)
    assert {clause for clause, word in status.items() if word != "seen"} == listed(OPEN)


@pytest.mark.parametrize("entry", law_entries(), ids=lambda entry: entry.clause)
def test_an_entry_is_one_sourced_sentence_with_a_day_when_it_was_seen(entry) -> None:  # type: ignore[no-untyped-def]
    assert entry.source
    assert entry.fact.endswith(".")
    assert len(re.findall(r"\.(?=\s[A-Z])", entry.fact)) <= 1
    if entry.status == "seen":
        assert date.fromisoformat(entry.checked) <= date.fromisoformat(law_as_at())
    else:
        assert entry.checked == ""

"""The crosswalk is computed from the fields: clause by clause, from nothing typed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from audit.results import Results
from reports.blocks import Cell, Table, Text
from reports.card import Card
from reports.crosswalk import STATUSES, answers
from reports.language import speaking
from reports.law import law_entries
from reports.material import Material
from reports.outline import outline
from reports.panels.registry import load_panels
from reports.verdict import read_verdict
from tests.sample_results import sample_results


def material(card: Card | None = None, **changes: object) -> Material:
    results: Results = sample_results().model_copy(update=changes)
    return Material(results, Path(), card or Card(), read_verdict(None))


def status(found: Material, clause: str) -> str:
    return answers(found)[clause].status


def fields_asking(clause: str) -> list[int]:
    """The sections of the fields that ask for a clause, read from the outline."""
    return [s.number for s in outline() for row in s.rows if clause in row.asked]


def test_a_clause_answered_by_computed_fields_alone_is_evidence_provided() -> None:
    # AIA Art 15(3) is asked by sensitivity, specificity and accuracy, all in the sample.
    assert status(material(), "AIA Art 15(3)") == "evidence provided"


def test_without_findings_the_same_clause_is_not_supplied() -> None:
    assert status(material(findings=()), "AIA Art 15(3)") == "not supplied"


def test_with_some_of_its_computed_fields_it_is_partial_and_says_how_many() -> None:
    findings = tuple(f for f in sample_results().findings if f.metric != "specificity")
    found = answers(material(findings=findings))["AIA Art 15(3)"]
    asked = len(fields_asking("AIA Art 15(3)"))
    assert (found.status, found.filled, found.asked) == ("partial", asked - 1, asked)


def test_a_clause_asked_of_people_alone_is_a_human_statement_once_they_spoke() -> None:
    assert status(material(), "GDPR Art 35") == "not supplied"
    card = Card.model_validate({"data_protection": {"dpia": "DPIA 2025-19"}})
    assert status(material(card), "GDPR Art 35") == "human statement"


def test_prior_thresholds_are_evidence_where_the_file_that_judged_was_recorded_before() -> None:
    # AI Act Art. 9(8): two statements of people and the threshold file.
    told = {"performance": {"acceptable_values": "0.6", "justification": "the board"}}
    card = Card.model_validate(told)
    recorded = sample_results().provenance.gate_file
    assert recorded is not None
    none = sample_results().provenance.model_copy(update={"gate_file": None})
    same = {"outcome": "pass", "gate_file_sha256": recorded.sha256, "rules": []}
    for changes, verdict, words in (
        ({}, same, "evidence provided"),
        ({}, {**same, "gate_file_sha256": "cd" * 32}, "partial"),
        ({"provenance": none}, same, "partial"),
        ({"provenance": none}, None, "partial"),
    ):
        results = sample_results().model_copy(update=changes)
        found = Material(results, Path(), card, read_verdict(verdict))
        assert status(found, "AIA Art 9(8)") == words


def test_a_run_without_groups_is_no_evidence_on_groups() -> None:
    alone = tuple(f for f in sample_results().findings if not f.group)
    assert status(material(), "AIA Art 13(3)(b)(v)") == "evidence provided"
    assert status(material(findings=alone), "AIA Art 13(3)(b)(v)") == "not supplied"
    card = Card.model_validate({"subgroups": {"bias": "Looked for by sex"}})
    assert status(material(card, findings=alone), "AIA Art 10(2)(f)–(g)") == "partial"


def test_each_clause_of_law_that_a_field_names_stands_in_the_law_data() -> None:
    """To the article: an entry on 22(4) speaks for a field that asks for Article 22."""
    known = {article for entry in law_entries() for article in articles(entry.clause)}
    laws = ("AIA", "GDPR", "UAVG", "WGBO", "MDR", "EHDS", "PLD")
    asked = [name for name in answers(material()) if name.startswith(laws)]
    assert len(asked) > 40
    missing = {name for name in asked if not set(articles(name)) & known}
    assert missing == set()


def articles(clause: str) -> list[str]:
    """The articles a clause names: "GDPR Art 25, 28" is two, "AIA Annex IV 2(g)" is one."""
    law, _, rest = clause.partition(" ")
    if "Annex" in rest or not rest:
        return [f"{law} {' '.join(rest.split()[:2])}"]
    return [f"{law} {number}" for number in re.findall(r"(?<![(\d–])\d+(?:[:a]\d*)?", rest)]


def test_half_an_answer_is_partial() -> None:
    # AIA Art 14 is asked by role, workflow and overseer: one of three.
    card = Card.model_validate({"purpose": {"role": "informs"}})
    assert status(material(card), "AIA Art 14") == "partial"


def test_emergency_triage_answered_no_makes_its_clauses_not_applicable() -> None:
    card = Card.model_validate({"regulation": {"emergency_triage": False}})
    yes = Card.model_validate({"regulation": {"emergency_triage": True}})
    for clause in ("AIA Annex III 5(d)", "AIA Art 26(11)", "AIA Art 27", "AIA Art 86"):
        assert status(material(), clause) == "not supplied"
        assert status(material(card), clause) == "not applicable"
    for clause in ("AIA Art 26(11)", "AIA Art 27", "AIA Art 86"):
        assert status(material(yes), clause) == "not supplied"


def test_the_failure_modes_are_half_an_answer_until_people_judge_them() -> None:
    assert status(material(), "ISO 14971") == "partial"
    card = Card.model_validate({"risks": [{"mode": "drift", "severity": "high"}]})
    assert status(material(card), "ISO 14971") == "evidence provided"


def test_every_clause_names_the_sections_whose_fields_ask_for_it() -> None:
    for clause, found in answers(material()).items():
        assert found.status in STATUSES
        assert all(1 <= number <= 19 for number in found.sections)
        asked = fields_asking(clause)
        if asked:
            assert set(asked) <= set(found.sections)


def test_claim_9_stands_before_claim_10() -> None:
    names = [name for name in answers(material()) if name.startswith("CLAIM ")]
    assert names == sorted(names, key=lambda name: int(name.split()[1]))


def test_the_table_is_short_and_holds_every_clause_once_under_its_law() -> None:
    text, table = load_panels()["crosswalk"](material())
    assert isinstance(text, Text)
    assert isinstance(table, Table)
    told = " ".join(str(row[2]) for row in table.rows)
    assert len(table.rows) <= 30
    assert told.count("§") == len(answers(material()))
    counts = Counter(found.status for found in answers(material()).values())
    assert text.text.split(" · ") == [f"{name} {counts[name]}" for name in STATUSES]
    laws = [row[0].text for row in table.rows if isinstance(row[0], Cell)]
    assert laws[:2] == ["EU AI Act", "GDPR"]
    assert len(laws) == len(set(laws))


def test_the_dutch_table_names_the_laws_in_dutch() -> None:
    with speaking("nl"):
        _, table = load_panels()["crosswalk"](material())
    assert isinstance(table, Table)
    laws = [row[0].text for row in table.rows if isinstance(row[0], Cell)]
    assert laws[0] == "AI-verordening"
    assert any("art. " in str(row[2]) for row in table.rows)

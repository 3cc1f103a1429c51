"""The crosswalk is computed from the fields: clause by clause, from nothing typed."""

from __future__ import annotations

from pathlib import Path

from reports.card import Card
from reports.material import Material
from reports.panels.crosswalk import STATUSES, clauses
from reports.verdict import read_verdict
from tests.sample_results import sample_results


def material(card: Card | None = None, **changes: object) -> Material:
    results = sample_results().model_copy(update=changes)
    return Material(results, Path(), card or Card(), read_verdict(None))


def status(found: Material, clause: str) -> str:
    return clauses(found)[clause][1]


def test_a_clause_answered_by_computed_fields_alone_is_evidence_provided() -> None:
    # AIA Art 15(3) is asked by sensitivity, specificity and accuracy, all in the sample.
    assert status(material(), "AIA Art 15(3)") == "evidence provided"


def test_without_findings_the_same_clause_is_not_supplied_or_partial() -> None:
    # The majority line and the threshold need no finding; these three do.
    assert status(material(findings=()), "AIA Art 15(3)") == "not supplied"


def test_a_clause_asked_of_people_alone_is_a_human_statement_once_they_spoke() -> None:
    assert status(material(), "GDPR Art 35") == "not supplied"
    card = Card.model_validate({"data_protection": {"dpia": "DPIA 2025-19"}})
    assert status(material(card), "GDPR Art 35") == "human statement"


def test_half_an_answer_is_partial() -> None:
    # AIA Art 14 is asked by role, workflow and overseer: one of three.
    card = Card.model_validate({"purpose": {"role": "informs"}})
    assert status(material(card), "AIA Art 14") == "partial"


def test_emergency_triage_answered_no_makes_its_clauses_not_applicable() -> None:
    card = Card.model_validate({"regulation": {"emergency_triage": False}})
    for clause in ("AIA Annex III 5(d)", "AIA Art 27"):
        assert status(material(), clause) == "not supplied"
        assert status(material(card), clause) == "not applicable"


def test_every_clause_has_a_section_and_one_of_five_states() -> None:
    for sections, word in clauses(material()).values():
        assert sections
        assert all(1 <= number <= 19 for number in sections)
        assert word in STATUSES


def test_claim_9_stands_before_claim_10() -> None:
    names = [name for name in clauses(material()) if name.startswith("CLAIM ")]
    assert names == sorted(names, key=lambda name: int(name.split()[1]))

"""Each clause that asks for something, and what this report holds for it. Computed per run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reports.failures import observations
from reports.language import N_
from reports.material import Material
from reports.outline import outline
from reports.sections import State, field

EVIDENCE = N_("evidence provided")
PARTIAL = N_("partial")
HUMAN = N_("human statement")
MISSING = N_("not supplied")
NOT_APPLICABLE = N_("not applicable")
STATUSES = (EVIDENCE, PARTIAL, HUMAN, MISSING, NOT_APPLICABLE)
# Clauses that hang on an answer in card.yaml: a "no" makes them not applicable.
TRIAGE = ("AIA Annex III 5(d)", "AIA Art 26(11)", "AIA Art 27", "AIA Art 86")
# Clauses of which the report holds nothing but that question, and the section that asks it.
ONLY_ASKED = dict.fromkeys(("AIA Art 26(11)", "AIA Art 27", "AIA Art 86"), 2)


@dataclass(frozen=True)
class Answer:
    """`filled` of `asked` fields in `sections` answer the clause."""

    status: str
    sections: tuple[int, ...]
    filled: int
    asked: int


def answers(material: Material) -> dict[str, Answer]:
    """Clause -> what stands in this report for it, CLAIM 9 before CLAIM 10."""
    states: dict[str, list[State]] = {name: [] for name in ONLY_ASKED}
    places: dict[str, set[int]] = {name: {number} for name, number in ONLY_ASKED.items()}
    for clause, number, state in _states(material):
        states.setdefault(clause, []).append(state)
        places.setdefault(clause, set()).add(number)
    return {
        clause: _answer(clause, states[clause], places[clause], material)
        for clause in sorted(states, key=natural)
    }


def _states(material: Material) -> Iterator[tuple[str, int, State]]:
    """(clause, section, state) of every field, and of the tables that answer a whole section."""
    for section in outline():
        for row in section.rows:
            state = field(row, material).state
            for clause in row.asked:
                yield clause, section.number, state
        for clause in section.asked:
            for state in _of_tables(section.id, material):
                yield clause, section.number, state


def _of_tables(section: str, material: Material) -> list[State]:
    """The failure modes are counted and judged by people; other tables are computed."""
    if section != "fmea":
        return ["given"]
    return [
        "given" if observations(material) else "not computed",
        "stated" if material.card.risks else "not supplied",
    ]


def _answer(clause: str, states: list[State], places: set[int], material: Material) -> Answer:
    filled = sum(state in ("given", "stated") for state in states)
    sections = tuple(sorted(places))
    return Answer(_status(clause, states, filled, material), sections, filled, len(states))


def _status(clause: str, states: list[State], filled: int, material: Material) -> str:
    if clause in TRIAGE and material.card.regulation.emergency_triage is False:
        return NOT_APPLICABLE
    if not filled:
        return MISSING
    if filled < len(states):
        return PARTIAL
    return HUMAN if set(states) == {"stated"} else EVIDENCE


def natural(clause: str) -> tuple[tuple[int, str | int], ...]:
    """Sorts "CLAIM 9" before "CLAIM 10"."""
    parts: list[tuple[int, str | int]] = []
    word = ""
    for letter in clause + " ":
        if word and letter.isdigit() != word[-1].isdigit():
            parts.append((0, int(word)) if word.isdigit() else (1, word))
            word = ""
        word += letter
    return tuple(parts)

"""Section 18: each clause, where it is answered, and with what. Computed from the fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reports.blocks import Block, Table, Text
from reports.material import Material
from reports.outline import outline
from reports.panels.registry import panel
from reports.sections import State, field

# Clause -> the answer in card.yaml that it hangs on; a "no" makes it not applicable.
STATUSES = (
    "evidence provided",
    "partial",
    "human statement",
    "not supplied",
    "not applicable",
)
CONDITIONAL = {
    "AIA Annex III 5(d)": "regulation.emergency_triage",
    "AIA Art 27": "regulation.emergency_triage",
}


@panel("crosswalk")
def crosswalk(material: Material) -> Sequence[Block]:
    found = clauses(material)
    rows = [
        [clause, ", ".join(f"§{n}" for n in sections), status]
        for clause, (sections, status) in found.items()
    ]
    columns = ["Clause or source", "Sections", "This report holds"]
    counts = Counter(status for _, status in found.values())
    words = " · ".join(f"{name} {counts[name]}" for name in STATUSES)
    return [Text(words, "In all:"), Table("Crosswalk", columns, rows, widths=(46, 24, 30))]


def clauses(material: Material) -> dict[str, tuple[list[int], str]]:
    """Clause -> (sections that answer it, what they hold), ordered by source."""
    states: dict[str, list[State]] = {}
    places: dict[str, list[int]] = {}
    for section in outline():
        for row in section.rows:
            state = field(row, material).state
            for clause in row.asked:
                states.setdefault(clause, []).append(state)
                places.setdefault(clause, []).append(section.number)
        for clause in section.asked:
            states.setdefault(clause, []).append(
                "stated" if material.card.risks else "not supplied"
            )
            places.setdefault(clause, []).append(section.number)
    states.setdefault("AIA Art 27", [])
    places.setdefault("AIA Art 27", [2])
    return {
        clause: (sorted(set(places[clause])), _status(clause, states[clause], material))
        for clause in sorted(states, key=_natural)
    }


def _status(clause: str, states: Iterable[State], material: Material) -> str:
    place = CONDITIONAL.get(clause)
    if place is not None and material.card.get(place) is False:
        return "not applicable"
    found = set(states)
    if not found & {"given", "stated"}:
        return "not supplied"
    if found == {"stated"}:
        return "human statement"
    if found <= {"given", "stated"}:
        return "evidence provided"
    return "partial"


def _natural(clause: str) -> tuple[tuple[int, str | int], ...]:
    """Sorts "CLAIM 9" before "CLAIM 10"."""
    parts: list[tuple[int, str | int]] = []
    word = ""
    for letter in clause + " ":
        if word and letter.isdigit() != word[-1].isdigit():
            parts.append((0, int(word)) if word.isdigit() else (1, word))
            word = ""
        word += letter
    return tuple(parts)

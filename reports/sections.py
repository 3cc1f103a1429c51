"""From outline rows and material to what the template prints: a state for every field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reports.blocks import Block
from reports.language import _
from reports.material import Material
from reports.outline import Row, Section, outline
from reports.panels.registry import load_panels
from reports.values.registry import load_values
from reports.wording import NOT_SUPPLIED

State = Literal["given", "stated", "not supplied", "not computed"]


@dataclass(frozen=True)
class Field:
    """One printed field: its lines, or why there are none."""

    row: Row
    lines: Sequence[str]
    state: State


@dataclass(frozen=True)
class Chapter:
    section: Section
    fields: Sequence[Field]
    blocks: Sequence[Block]


def chapters(material: Material) -> list[Chapter]:
    panels = load_panels()
    return [
        Chapter(
            section=section,
            fields=[field(row, material) for row in section.rows],
            blocks=[b for name in section.panels if name in panels for b in panels[name](material)],
        )
        for section in outline()
    ]


def field(row: Row, material: Material) -> Field:
    if row.source == "H":
        lines = _lines(material.card.get(row.value))
        if lines:
            return Field(row, lines, "stated")
        return Field(row, [_(NOT_SUPPLIED)], "not supplied")
    known = load_values()
    lines = _lines(known[row.value](material)) if row.value in known else []
    if lines:
        return Field(row, lines, "given")
    return Field(row, [_(row.absent)], "not computed")


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [_("yes") if value else _("no")]
    if isinstance(value, list):
        return [str(item) for item in value]
    return [line for line in str(value).splitlines() if line.strip()]


def blanks(material: Material) -> list[tuple[Section, list[Row]]]:
    """The human fields nobody filled in, by section, in the order of the report."""
    found = [
        (section, [row for row in section.rows if _is_blank(row, material)])
        for section in outline()
    ]
    return [(section, rows) for section, rows in found if rows]


def _is_blank(row: Row, material: Material) -> bool:
    return row.source == "H" and field(row, material).state == "not supplied"

"""The outline as data: sections and the fields in them, read from outline.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from reports.language import N_
from reports.texts import text_data

Source = Literal["A", "M", "H"]
BECAUSE = {
    "A": N_("Not computed in this run."),
    "M": N_("Not recorded in the model file or the data."),
    "H": "",
}


@dataclass(frozen=True)
class Row:
    """One field: its source letter, who asks for it, and where its value comes from."""

    source: Source
    label: str
    asked: tuple[str, ...]
    value: str
    absent: str


@dataclass(frozen=True)
class Section:
    id: str
    number: int
    title: str
    lead: str
    rows: tuple[Row, ...]
    panels: tuple[str, ...]
    asked: tuple[str, ...]


@cache
def outline() -> tuple[Section, ...]:
    """All sections of the report in order (the one-page summary, section 0, stands before)."""
    return tuple(_section(entry) for entry in text_data("outline.yaml"))


def _section(entry: dict[str, Any]) -> Section:
    return Section(
        id=entry["id"],
        number=entry["number"],
        title=entry["title"],
        lead=entry.get("lead", ""),
        rows=tuple(_row(field) for field in entry["fields"]),
        panels=tuple(entry.get("panels", ())),
        asked=tuple(entry.get("asked", ())),
    )


def _row(field: dict[str, Any]) -> Row:
    source: Source = field["s"]
    return Row(
        source=source,
        label=field["label"],
        asked=tuple(field["asked"]),
        value=field["card"] if source == "H" else field["from"],
        absent=field.get("absent", BECAUSE[source]),
    )

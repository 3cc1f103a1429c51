"""The law as dated data: a change of law is an edit of a YAML file in this folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from reports.texts import text_data

FILES = ("gdpr.yaml", "national_nl.yaml", "ai_act.yaml", "devices.yaml", "other.yaml")


@dataclass(frozen=True)
class Entry:
    """One clause: a sentence of fact, where it stands, and whether somebody read it there."""

    clause: str
    fact: str
    source: str
    status: Literal["seen", "to be confirmed"]
    checked: str


@cache
def law_entries() -> tuple[Entry, ...]:
    found: list[Entry] = []
    for name in FILES:
        found += [_entry(raw) for raw in text_data(f"law/{name}")]
    return tuple(found)


def _entry(raw: dict[str, object]) -> Entry:
    status = raw["status"]
    if status not in ("seen", "to be confirmed"):
        raise ValueError(f"law entry {raw['clause']}: status {status!r}")
    return Entry(
        clause=str(raw["clause"]),
        fact=" ".join(str(raw["fact"]).split()),
        source=str(raw["source"]),
        status=status,
        checked=str(raw.get("checked") or ""),
    )


def law_as_at() -> str:
    """The latest day on which an entry was checked."""
    return max(entry.checked for entry in law_entries())

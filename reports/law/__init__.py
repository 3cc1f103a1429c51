"""The law as dated data: a change of law is an edit of a YAML file in this folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from reports.language import _
from reports.texts import text_data

PRIVACY = ("gdpr.yaml", "national_nl.yaml")
DEVICES = ("ai_act.yaml", "devices.yaml", "other.yaml")


@dataclass(frozen=True)
class Entry:
    """One clause: a sentence of fact, where it stands, and whether somebody read it there."""

    clause: str
    fact: str
    source: str
    status: Literal["seen", "to be confirmed"]
    checked: str


@cache
def law_entries(names: Sequence[str] = (*PRIVACY, *DEVICES)) -> tuple[Entry, ...]:
    """The entries of these files, in their order."""
    return tuple(_entry(raw) for name in names for raw in text_data(f"law/{name}"))


def _entry(raw: dict[str, object]) -> Entry:
    status = raw["status"]
    if status not in ("seen", "to be confirmed"):
        raise ValueError(f"law entry {raw['clause']}: status {status!r}")
    return Entry(
        clause=str(raw["clause"]),
        fact=str(raw["fact"]),
        source=str(raw["source"]),
        status=status,
        checked=str(raw.get("checked") or ""),
    )


def law_as_at() -> str:
    """The day up to which every entry that was read has been read: the earliest of theirs."""
    return min(entry.checked for entry in law_entries() if entry.checked)


def law_statement() -> str:
    """As at which day the law is told, and whether a jurist has read it."""
    review = text_data("law/review.yaml")
    if review["by"] and review["day"]:
        return _("Law as at {date}, checked by {jurist} on {day}").format(
            date=law_as_at(), jurist=review["by"], day=review["day"]
        )
    return _("Law as at {date}, not checked by a jurist").format(date=law_as_at())

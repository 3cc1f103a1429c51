"""verdict.json as the report needs it; tolerant of what is missing, never of what is unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from reports.blocks import Mark
from reports.language import N_, _

OUTCOMES = ("pass", "fail", "inconclusive", "waived", "off")
WORDS = {
    "pass": N_("met"),
    "fail": N_("not met"),
    "inconclusive": N_("inconclusive"),
    "waived": N_("waived"),
    "off": N_("not run"),
}
OUTCOME_WORDS = {
    "pass": N_("pass"),
    "fail": N_("fail"),
    "inconclusive": N_("inconclusive"),
    "no gate set": N_("no gate set"),
}
FIRST = ("fail", "inconclusive", "waived", "pass", "off")


@dataclass(frozen=True)
class Ruling:
    """One rule as judged. An outcome this version does not know is inconclusive, never a pass."""

    id: str
    metric: str
    outcome: str
    text: str
    reason: str
    n: str
    where: Mapping[str, str]
    observed: float | None
    low: float | None
    high: float | None

    @property
    def mark(self) -> Mark:
        return "not run" if self.outcome == "off" else cast(Mark, self.outcome)

    @property
    def word(self) -> str:
        return _(WORDS[self.outcome])


@dataclass(frozen=True)
class Judgement:
    outcome: str
    gate_file_sha256: str
    recorded_before: bool | None
    rulings: tuple[Ruling, ...]
    raw: str

    @property
    def word(self) -> str:
        return _(OUTCOME_WORDS[self.outcome])

    def worst_first(self) -> list[Ruling]:
        return sorted(self.rulings, key=lambda ruling: FIRST.index(ruling.outcome))


def read_verdict(verdict: Mapping[str, Any] | None) -> Judgement:
    """The judgement in a verdict.json mapping; "no gate set" when there is none."""
    if not verdict:
        return Judgement("no gate set", "", None, (), "")
    before = verdict.get("gate_file_recorded_before")
    rules = verdict.get("rules") or ()
    return Judgement(
        outcome=_outcome(verdict.get("outcome")),
        gate_file_sha256=_text(verdict.get("gate_file_sha256"))[:64],
        recorded_before=before if isinstance(before, bool) else None,
        rulings=tuple(_ruling(rule) for rule in rules if isinstance(rule, Mapping)),
        raw=json.dumps(verdict, sort_keys=True, default=str),
    )


def _outcome(value: Any) -> str:
    return value if value in ("pass", "fail", "inconclusive", "no gate set") else "inconclusive"


def _ruling(rule: Mapping[str, Any]) -> Ruling:
    outcome = _text(rule.get("outcome"))
    where = rule.get("where")
    pairs = where if isinstance(where, Mapping) else {}
    return Ruling(
        id=_text(rule.get("id")) or "rule",
        metric=_text(rule.get("metric")),
        outcome=outcome if outcome in OUTCOMES else "inconclusive",
        text=_text(rule.get("text")) or _spelt(rule),
        reason=_text(rule.get("reason")),
        n=_text(rule.get("n")),
        observed=_number(rule.get("observed")),
        low=_number(rule.get("low")),
        high=_number(rule.get("high")),
        where={str(name): _text(value) for name, value in pairs.items()},
    )


def _spelt(rule: Mapping[str, Any]) -> str:
    """A rule without a sentence of its own, from its parts."""
    metric = _text(rule.get("metric")).replace("_", " ")
    limit = _text(rule.get("threshold"))
    return f"{metric} {limit}".strip() or N_("rule without text")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)

"""What the gate said: `verdict.json`."""

from __future__ import annotations

import json
from datetime import date
from typing import Literal

from pydantic import Field

from audit.results import Part

RuleOutcome = Literal["pass", "fail", "inconclusive", "waived", "off"]


class RuleVerdict(Part):
    """One rule as judged. `text` states the rule, `reason` says why it came out as it did.

    `observed`, `low`, `high`, `n` are those of the finding that governs (the worst of those
    the rule matched); `judged` is the number held against `threshold`. `waived_from` is the
    outcome a waiver covers.
    """

    id: str
    metric: str
    outcome: RuleOutcome
    level: Literal["error", "warn", "off"]
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    judged: float | None = None
    threshold: float | None = None
    text: str
    where: dict[str, bool | int | float | str] = Field(default_factory=dict)
    n: int | None = None
    reason: str = ""
    waived_from: RuleOutcome | None = None
    owner: str | None = None
    expires: date | None = None
    line: int | None = None


class Verdict(Part):
    """The gate's answer over all rules.

    `gate_file_recorded_before`: the audit recorded this very rule file before its first unit
    ran (EU AI Act Art. 9(8): prior defined thresholds); None when there are no rules.
    `outcome` is "no gate set" where no rule of level "error" is.
    """

    schema_version: int = 1
    outcome: Literal["pass", "fail", "inconclusive", "no gate set"]
    exit_code: Literal[0, 1, 3]
    gate_file: str = ""
    gate_file_sha256: str | None = None
    gate_file_recorded_before: bool | None = None
    audit_sha256: str | None = None
    judged_on: date | None = None
    synthetic: bool = False
    warnings: tuple[str, ...] = ()
    on_inconclusive: Literal["fail", "warn"] = "fail"
    rules: tuple[RuleVerdict, ...] = ()

    def weight(self, rule: RuleVerdict) -> Literal["error", "warning"] | None:
        """What the rule does to a pipeline: stops it, is told, or nothing (met, or off)."""
        if rule.outcome in ("pass", "off"):
            return None
        lenient = rule.outcome == "inconclusive" and self.on_inconclusive == "warn"
        told = rule.outcome == "waived" or rule.level != "error" or lenient
        return "warning" if told else "error"

    def to_json(self) -> str:
        """Stable text: sorted keys, no NaN, a final newline."""
        data = self.model_dump(mode="json")
        return (
            json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        )

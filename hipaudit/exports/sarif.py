"""The verdict as SARIF 2.1.0: a result per rule, on its line of the rule file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.gate.verdict import RuleVerdict, Verdict

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
HOME = "hipaudit"


def as_sarif(verdict: Verdict, tool_version: str) -> str:
    """One run of the tool. Every rule is described; those that passed or are off have no result, as
    viewers show any result as an alert. For the same reason an inconclusive rule is a failure at
    its level and not of the kind "open", which viewers hide. A waived one carries its suppression.
    Source: OASIS SARIF 2.1.0, §3.27.
    """
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": HOME,
                "semanticVersion": tool_version,
                "rules": [_described(rule) for rule in verdict.rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(rule, index, verdict.gate_file)
            for index, rule in enumerate(verdict.rules)
            if rule.outcome not in ("pass", "off")
        ],
        "properties": {"outcome": verdict.outcome, "exitCode": verdict.exit_code},
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _described(rule: RuleVerdict) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.metric,
        "shortDescription": {"text": rule.text or rule.metric},
        "defaultConfiguration": {"enabled": rule.level != "off", "level": _level(rule)},
    }


def _result(rule: RuleVerdict, index: int, gate_file: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": _level(rule),
        "message": {"text": f"{rule.outcome}: {rule.reason}" if rule.reason else rule.outcome},
    }
    if gate_file:
        place: dict[str, Any] = {"artifactLocation": {"uri": gate_file, "uriBaseId": "SRCROOT"}}
        if rule.line:
            place["region"] = {"startLine": rule.line}
        found["locations"] = [{"physicalLocation": place}]
    if rule.outcome == "waived":
        found["suppressions"] = [{"kind": "external", "justification": rule.reason}]
    return found


def _level(rule: RuleVerdict) -> str:
    return {"error": "error", "warn": "warning", "off": "none"}[rule.level]

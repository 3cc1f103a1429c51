"""The verdict as SARIF 2.1.0: a result per rule, on its line of the rule file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hipaudit.metric_words import METRICS

if TYPE_CHECKING:
    from audit.gate.verdict import RuleVerdict, Verdict

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
HOME = "hipaudit"


def as_sarif(verdict: Verdict, tool_version: str, rules_at: str = "") -> str:
    """One run of the tool. Every rule is described; those that passed or are off have no result, as
    viewers show any result as an alert. For the same reason an inconclusive rule is a failure at
    its level and not of the kind "open", which viewers hide. A waived one carries its suppression.
    `rules_at`: the rule file as seen from the top of the repository; the verdict knows its name
    only. Source: OASIS SARIF 2.1.0, §3.27.
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
            _result(rule, index, verdict.weight(rule), rules_at or verdict.gate_file)
            for index, rule in enumerate(verdict.rules)
            if rule.outcome not in ("pass", "off")
        ],
        "properties": {"outcome": verdict.outcome, "exitCode": verdict.exit_code},
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _described(rule: RuleVerdict) -> dict[str, Any]:
    asked = rule.text or rule.metric
    return {
        "id": rule.id,
        "name": rule.metric,
        "shortDescription": {"text": asked},
        "fullDescription": {"text": asked},
        "help": {"text": _help(rule)},
        "defaultConfiguration": {"enabled": rule.level != "off", "level": _level(rule)},
    }


def _help(rule: RuleVerdict) -> str:
    """What a viewer shows beside an alert: the metric in words, and where there is more."""
    words = METRICS.get(rule.metric)
    told = f"{words.meaning[:1].upper()}{words.meaning[1:]}. {words.limits} " if words else ""
    return f"{told}More: hipaudit explain {rule.metric}"


def _result(rule: RuleVerdict, index: int, weight: str | None, gate_file: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": _level(rule) if rule.outcome == "waived" else weight,
        "message": {"text": f"{rule.outcome}: {rule.reason}" if rule.reason else rule.outcome},
    }
    if gate_file:
        place: dict[str, Any] = {
            "artifactLocation": {"uri": quote(gate_file), "uriBaseId": "SRCROOT"}
        }
        if rule.line:
            place["region"] = {"startLine": rule.line}
        found["locations"] = [{"physicalLocation": place}]
    if rule.outcome == "waived":
        found["suppressions"] = [{"kind": "external", "justification": rule.reason}]
    return found


def _level(rule: RuleVerdict) -> str:
    return {"error": "error", "warn": "warning", "off": "none"}[rule.level]

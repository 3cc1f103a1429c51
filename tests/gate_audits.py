"""Small audits made by hand, for tests of the gate."""

from __future__ import annotations

from audit.gate.rules import GateRules
from audit.results import (
    DataDescription,
    Finding,
    ModelDescription,
    Plan,
    PlannedRun,
    Provenance,
    Results,
)


def finding(metric: str = "sensitivity", **changes: object) -> Finding:
    facts = {
        "metric": metric,
        "value": 0.9,
        "low": 0.8,
        "high": 0.95,
        "method": "clopper-pearson",
        "n": 100,
        "events": 90,
        "independent": False,
    }
    return Finding(**{**facts, **changes})


def run(stress: str = "clean", **changes: object) -> PlannedRun:
    facts = {
        "id": stress,
        "stress": stress,
        "kind": "clean" if stress == "clean" else "attack",
        "sample": 100,
        "of": 100,
        "state": "done",
    }
    return PlannedRun(**{**facts, **changes})


def audit(
    *findings: Finding, runs: tuple[PlannedRun, ...] = (run(),), **changes: object
) -> Results:
    facts = {
        "model": ModelDescription(
            name="toy",
            architecture="resnet18",
            classes=("normal", "fractured"),
            positive_class="fractured",
        ),
        "data": DataDescription(
            layout="manifest",
            cases=100,
            patients=90,
            labels={"normal": 50, "fractured": 50},
            attributes={"view": {"frontal": 60, "lateral": 40}},
        ),
        "plan": Plan(preset="ci", seed=0, runs=runs),
        "findings": findings,
        "provenance": Provenance(date="2026-01-01"),
    }
    return Results(**{**facts, **changes})


def rules(*rule: dict[str, object], **gate: object) -> GateRules:
    """Rules as a rule file would give them; ids are filled in."""
    named = [{"id": f"R{number}", **one} for number, one in enumerate(rule, start=1)]
    return GateRules.model_validate({"schema": 1, "gate": {"rule": named, **gate}})

"""The sample audit with a text of our choosing in every place where text can stand."""

from __future__ import annotations

from typing import Any

from audit.results import Results
from reports.card import Card

# Fields whose words have a meaning to the program; everything else takes any text.
FIXED = {"metric", "stress", "state", "kind", "level", "date", "path", "sha256", "defence"}
FIXED |= {"variant", "contrast", "resize", "interpolation", "positive_class", "recorded"}


def poisoned(results: Results, text: str) -> Results:
    """Every free text of the results replaced; names of attributes and their values as well."""
    data = _poison(results.model_dump(), text, "")
    data["model"]["classes"] = [text + "0", text + "1"]
    data["model"]["positive_class"] = text + "0"
    return Results.model_validate(data)


def _poison(value: Any, text: str, key: str) -> Any:
    if isinstance(value, dict):
        renamed = key in {"labels", "attributes", "group", "packages", "not_tested", "training"}
        return {
            (f"{text}{name}" if renamed else name): _poison(inner, text, name)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_poison(inner, text, key) for inner in value]
    if isinstance(value, str) and key not in FIXED:
        return f"{text}{value}" if key == "view" else text
    return value


def poisoned_card(text: str) -> Card:
    """A card with the text in every field that takes any text."""

    def fill(model: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and hasattr(kind, "model_fields"):
                found[name] = fill(kind)
            elif name not in {
                "role",
                "research_only",
                "emergency_triage",
                "prevalences",
                "risks",
                "planned_half_width",
            }:
                found[name] = [text] if name == "signatories" else text
        return found

    risk = {"failure_mode": text, "severity": text, "control": text}
    return Card.model_validate({**fill(Card), "risks": [risk]})


def poisoned_verdict(text: str) -> dict[str, Any]:
    rule = {"id": text, "metric": text, "outcome": text, "text": text, "reason": text}
    rules = [{**rule, "where": {text: text}} for _ in range(12)]
    return {"outcome": text, "gate_file_sha256": text, "rules": rules}

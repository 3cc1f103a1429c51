"""The published JSON Schemas of audit.json and compare.json. `python -m audit.json_schema` writes
them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from audit.compare.results import SCHEMA_VERSION as COMPARE_VERSION
from audit.compare.results import Comparison
from audit.files import write_whole
from audit.results import SCHEMA_VERSION, Results

SCHEMA_FILE = Path(__file__).parent / "schema" / f"audit-{SCHEMA_VERSION}.json"
COMPARE_FILE = SCHEMA_FILE.with_name(f"compare-{COMPARE_VERSION}.json")


def results_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `audit.results.read_results` accepts."""
    return _published(Results, "audit", SCHEMA_VERSION)


def comparison_schema() -> dict[str, Any]:
    """JSON Schema of what `audit.compare.results.read_comparison` accepts."""
    return _published(Comparison, "compare", COMPARE_VERSION)


def _published(model: type[BaseModel], name: str, version: int) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:hipaudit:{name}:{version}"
    schema["title"] = f"hipaudit {name}.json"
    schema["properties"]["schema_version"] = {"const": version, "type": "integer"}
    schema["required"] = ["schema_version", *schema["required"]]
    return schema


def schema_text() -> str:
    return _text(results_schema())


def comparison_text() -> str:
    return _text(comparison_schema())


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_whole(SCHEMA_FILE, schema_text())
    write_whole(COMPARE_FILE, comparison_text())

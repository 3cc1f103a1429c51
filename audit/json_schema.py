"""The published JSON Schema of audit.json. `python -m audit.json_schema` writes it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit.files import write_whole
from audit.results import SCHEMA_VERSION, Results

SCHEMA_FILE = Path(__file__).parent / "schema" / f"audit-{SCHEMA_VERSION}.json"


def results_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `audit.results.read_results` accepts."""
    schema = Results.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = f"urn:hipaudit:audit:{SCHEMA_VERSION}"
    schema["title"] = "hipaudit audit.json"
    schema["properties"]["schema_version"] = {"const": SCHEMA_VERSION, "type": "integer"}
    schema["required"] = ["schema_version", *schema["required"]]
    return schema


def schema_text() -> str:
    return json.dumps(results_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_whole(SCHEMA_FILE, schema_text())

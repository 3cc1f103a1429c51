"""The baselines for drift as the file that is attached to the report."""

from __future__ import annotations

import json
from typing import Any

from audit.results import Results

NAME = "baselines.json"
PROBE = "drift_baselines"


def baselines(results: Results) -> dict[str, Any] | None:
    """What the probe recorded; None where it was not run to the end."""
    found = (r.details for r in results.probes if r.probe == PROBE and r.state == "done")
    return next(found, None)


def baselines_json(results: Results) -> str | None:
    """Its details with what they are of: model, data, day and run. Sorted keys, no NaN."""
    known = baselines(results)
    if known is None:
        return None
    whole = {
        "schema": "hipaudit baselines",
        **known,
        "run_id": results.run_id,
        "date": results.provenance.date,
        "tool": f"{results.tool} {results.tool_version}",
        "model": {"name": results.model.name, "sha256": list(results.model.sha256)},
        "data": {"name": results.data.name, "sha256": results.data.sha256},
    }
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

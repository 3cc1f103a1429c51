"""The model as a CycloneDX 1.6 ML-BOM: what it is, what it was measured to do, what it runs on."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from hipaudit.exports.headline import by_group, clean, data_in_words, named, stressed
from reports.wording import FOOTER

if TYPE_CHECKING:
    from audit.results import Finding, Results
    from reports.card import Card

NAMESPACE = uuid.UUID("6f1d2a2e-0f4b-5c0a-9c1e-6a6f2f0c7d11")  # ours, for serial numbers


def as_cyclonedx(results: Results, card: Card) -> str:
    """A machine-learning-model component with its model card; libraries as required components.

    The serial number follows from the audit, so the same audit gives the same file.
    Source: ECMA-424 (CycloneDX 1.6), modelCard.
    """
    model = _model(results, card)
    libraries = [
        {"type": "library", "bom-ref": f"pypi-{name}", "name": name, "version": version,
         "purl": f"pkg:pypi/{name.lower()}@{version}"}
        for name, version in sorted(results.provenance.packages.items())
    ]  # fmt: skip
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, results.run_id or results.to_json())}",
        "version": 1,
        "metadata": {
            "timestamp": f"{results.provenance.date[:10]}T00:00:00Z",
            "tools": {
                "components": [
                    {"type": "application", "name": "hipaudit", "version": results.tool_version}
                ]
            },
            "component": model,
        },
        "components": libraries,
        "dependencies": [
            {"ref": model["bom-ref"], "dependsOn": [one["bom-ref"] for one in libraries]}
        ],
    }
    return json.dumps(bom, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _model(results: Results, card: Card) -> dict[str, Any]:
    told = results.model
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"model-{(told.sha256 or ('unknown',))[0][:16]}",
        "name": told.name,
        "description": f"{told.architecture}; {data_in_words(results)} {FOOTER}",
        "modelCard": _card(results, card),
    }
    if card.identity.version:
        found["version"] = card.identity.version
    if card.identity.developer:
        found["supplier"] = {"name": card.identity.developer}
    if told.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": one} for one in told.sha256]
    return found


def _card(results: Results, card: Card) -> dict[str, Any]:
    numbers = [*clean(results), *by_group(results), *stressed(results)]
    said = {
        "users": [card.purpose.users],
        "useCases": [card.purpose.intended_purpose],
        "technicalLimitations": [card.limitations.known, *results.plan.not_tested.values()],
    }
    considerations: dict[str, Any] = {
        name: kept for name, texts in said.items() if (kept := [text for text in texts if text])
    }
    if card.subgroups.bias:
        considerations["ethicalConsiderations"] = [{"name": card.subgroups.bias}]
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "binary classification"
            if len(results.model.classes) == 2
            else "classification",
            "modelArchitecture": results.model.architecture,
            "inputs": [{"format": "image"}],
            "outputs": [{"format": ", ".join(results.model.classes)}],
        },
        "quantitativeAnalysis": {"performanceMetrics": [_metric(one) for one in numbers]},
        **({"considerations": considerations} if considerations else {}),
    }


def _metric(finding: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {"type": finding.metric, "value": f"{finding.value:.6g}"}
    told["slice"] = named(finding)
    if finding.low is not None and finding.high is not None:
        limits = {"lowerBound": f"{finding.low:.6g}", "upperBound": f"{finding.high:.6g}"}
        told["confidenceInterval"] = limits
    return told

"""The published JSON Schema is current and tells an audit.json from something else."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from audit.json_schema import SCHEMA_FILE, results_schema, schema_text
from audit.results import (
    DataDescription,
    Finding,
    ModelDescription,
    Note,
    Plan,
    PlannedRun,
    Provenance,
    Results,
)


def audit_json() -> dict[str, Any]:
    run = PlannedRun(id="clean", stress="clean", kind="clean", sample=50, of=50, state="done")
    results = Results(
        model=ModelDescription(
            name="m", architecture="resnet18", classes=("a", "b"), positive_class="b"
        ),
        data=DataDescription(layout="class folders", cases=50, labels={"a": 30, "b": 20}),
        plan=Plan(preset="quick", seed=0, runs=(run,)),
        findings=(
            Finding(metric="accuracy", value=0.9, low=0.8, high=0.95, n=50, events=45),
            Finding(metric="auroc", stress="fgsm", params={"epsilon": 2 / 255}, reason="failed"),
        ),
        notes=(Note(code="view", level="assumed", text="from the folder name"),),
        provenance=Provenance(date="2026-01-02"),
    )
    document: dict[str, Any] = json.loads(results.to_json())
    return document


def check(document: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_committed_schema_is_the_one_the_results_have_now() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), (
        "run: python -m audit.json_schema"
    )


def test_the_schema_is_itself_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(results_schema())


def test_a_written_audit_is_valid() -> None:
    check(audit_json())


def _set(*path: Any) -> Any:
    *keys, last, value = path

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in keys:
            place = place[key]
        place[last] = value

    return change


BROKEN = {
    "a finding without a metric": lambda d: d["findings"][0].pop("metric"),
    "no model": lambda d: d.pop("model"),
    "no schema_version": lambda d: d.pop("schema_version"),
    "another schema_version": _set("schema_version", 2),
    "an unknown key": _set("secret", "x"),
    "an unknown key of a finding": _set("findings", 0, "certainty", 0.01),
    "text for a value": _set("findings", 0, "value", "0.9"),
    "a state that does not exist": _set("plan", "runs", 0, "state", "maybe"),
    "a level that does not exist": _set("notes", 0, "level", "fatal"),
    "a parameter that is a list": _set("findings", 1, "params", {"epsilon": [1]}),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_audit_is_refused(change: Any) -> None:
    document = audit_json()
    change(document)
    with pytest.raises(jsonschema.ValidationError):
        check(document)

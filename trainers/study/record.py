"""From what a training recorded to its row in study.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audit.results import ModelDescription
from audit.study_results import EpochRow, RangeTest, Trained


def described(planned: Trained, model: ModelDescription, training: Path) -> Trained:
    """`planned` with recipe, epochs, start and digest as the checkpoint says.

    The points of the range tests come from log.json in the folder `training`; without it the
    tests are there and their curves are not.
    """
    said = model.training
    log = said.get("log", {})
    return planned.model_copy(
        update={
            "parameters": model.parameters,
            "weights": str(said.get("start_digest", said.get("start", ""))),
            "recipe": {**said.get("recipe", {}), "used": log.get("used", {})},
            "range_tests": _range_tests(training) or _tests(log),
            "epochs": tuple(_epoch(row) for row in log.get("epochs", ())),
            "best_epoch": log.get("best_epoch"),
            "ended": str(log.get("ended", "")),
            "sha256": model.sha256[0] if model.sha256 else "",
        }
    )


def _range_tests(training: Path) -> tuple[RangeTest, ...]:
    try:
        return _tests(json.loads((training / "log.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return ()


def _tests(log: Mapping[str, Any]) -> tuple[RangeTest, ...]:
    return tuple(RangeTest.model_validate(row) for row in log.get("range_tests", ()))


def _epoch(row: Mapping[str, Any]) -> EpochRow:
    return EpochRow(**{name: row[name] for name in EpochRow.model_fields if name in row})

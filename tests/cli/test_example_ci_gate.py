"""The example of a gate: the model that reads passes, the one that guesses fails."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "ci-gate"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ci-gate")
    runpy.run_path(str(EXAMPLE / "models.py"))["main"](folder)
    return folder


@pytest.mark.parametrize(("model", "code"), [("reads", 0), ("guesses", 1)])
def test_the_pipeline_obeys_the_verdict(hipaudit, made, tmp_path, model, code):
    found, _, err = hipaudit(
        *("run", made / f"{model}.pt", "--data", made / "val", "--preprocess", made / "model.yaml"),
        *("--config", EXAMPLE / "hipaudit.toml", "--preset", "ci", "--stress", "fgsm"),
        *("--no-images", "--out", "out", "-q", "--output", "junit=gate.xml"),
    )
    assert (found, err) == (code, ""), err
    verdict = json.loads((tmp_path / "out" / "verdict.json").read_text())
    outcomes = {rule["id"]: rule["outcome"] for rule in verdict["rules"]}
    assert outcomes == {"EX1": "fail" if code else "pass", "EX2": "pass"}
    assert f'failures="{code}"' in (tmp_path / "gate.xml").read_text()

"""action.yml as GitHub would run it: its script in bash, inputs as environment variables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
RULE = ("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"')
NOTHING = {name.upper(): "" for name in ("model", "data", "audit", "baseline", "arguments")}


@pytest.fixture
def judge(tmp_path):
    """Run the step `judge` with these inputs: (exit code, outputs, all it printed)."""
    script = next(step["run"] for step in STEPS if step.get("id") == "judge")
    usual = {**NOTHING, "CONFIG": "hipaudit.toml", "PRESET": "ci", "OUT": "out dir"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def call(**inputs: str) -> tuple[int, dict[str, str], str]:
        told = tmp_path / "told"
        told.write_text("")
        environment = {**os.environ, **usual, **inputs, "PATH": path, "GITHUB_OUTPUT": str(told)}
        child = subprocess.run(
            [shutil.which("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        outputs = dict(line.split("=", 1) for line in told.read_text().splitlines())
        return child.returncode, outputs, child.stdout + child.stderr

    return call


def test_no_input_is_put_into_a_script_and_every_action_is_pinned():
    for step in STEPS:
        assert "${{" not in step.get("run", "")  # it would be run
        if "uses" in step:
            assert len(step["uses"].partition("@")[2]) == 40, step["uses"]  # a tag may move
    asked = {name for step in STEPS for name in str(step).split("inputs.")[1:]}
    named = {part.split()[0].rstrip("}'") for part in asked}
    assert named == set(ACTION["inputs"])


@pytest.mark.parametrize(
    ("threshold", "code", "verdict"),
    [
        ("min = 0.8", 0, "pass"),
        ("min = 0.85", 1, "fail"),
        ("max_drop = 0.1", 3, "inconclusive"),
        ('min = 0.9\nlevel = "off"', 0, "no gate set"),
    ],
)
def test_the_step_ends_as_the_gate_does_and_says_the_verdict(
    judge, audit_json, write_rules, tmp_path, threshold, code, verdict
):
    write_rules(*RULE, threshold)
    found, outputs, _ = judge(AUDIT=str(audit_json), ARGUMENTS="-q")
    assert found == code
    assert outputs == {"verdict": verdict, "sarif": "out dir/gate.sarif"}
    assert (tmp_path / "out dir" / "gate.xml").exists()


def test_arguments_may_stand_on_several_lines_and_are_never_run(
    judge, audit_json, write_rules, tmp_path
):
    write_rules(*RULE, "min = 0.8")
    arguments = f"-q\n--output md={tmp_path}/told.md\n"
    assert judge(AUDIT=str(audit_json), ARGUMENTS=arguments)[0] == 0
    assert (tmp_path / "told.md").exists()
    for hostile in ("$(touch harm)", "`touch harm`", "; touch harm", "-q\ntouch harm"):
        assert judge(AUDIT=str(audit_json), ARGUMENTS=hostile)[0] == 2
        judge(AUDIT=hostile, BASELINE=hostile, CONFIG=hostile, OUT=hostile)
        assert not (tmp_path / "harm").exists()


def test_the_verdict_of_an_earlier_job_is_not_told_again(judge, audit_json, write_rules):
    write_rules(*RULE, "min = 0.8")
    assert judge(AUDIT=str(audit_json))[1]["verdict"] == "pass"
    write_rules(*RULE, "minimum = 0.8")
    assert judge(AUDIT=str(audit_json))[:2] == (2, {})


def test_without_model_and_audit_it_says_what_to_name(judge):
    code, outputs, said = judge()
    assert (code, outputs) == (2, {})
    assert "name a model to audit, or an audit.json to judge" in said

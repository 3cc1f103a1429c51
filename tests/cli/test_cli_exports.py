"""JUnit and SARIF: what other tools read of a verdict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from audit.gate.verdict import RuleVerdict, Verdict
from hipaudit.exports.junit import as_junit
from hipaudit.exports.sarif import as_sarif


def rule(name: str, outcome: str, level: str = "error", **more: object) -> RuleVerdict:
    return RuleVerdict(
        id=name, metric="sensitivity", outcome=outcome, level=level, text=f"{name} asks", **more
    )


RULES = (
    rule("P", "pass", line=3),
    rule("F", "fail", line=7, reason="lower limit 0.6, at least 0.8 asked"),
    rule("I", "inconclusive", line=11, reason="n = 4 <&> \x00"),
    rule("W", "fail", level="warn", line=15, reason="only a warning"),
    rule("V", "waived", line=19, reason="waived by physics", waived_from="fail"),
    rule("O", "off", level="off"),
)
VERDICT = Verdict(outcome="fail", exit_code=1, gate_file="hipaudit.toml", rules=RULES)


def test_junit_has_a_test_per_rule_and_only_what_fails_the_pipeline_fails_there():
    root = ElementTree.fromstring(as_junit(VERDICT))  # noqa: S314  # our own text
    (suite,) = root
    assert root.tag == "testsuites"
    found = {
        case.get("name", "").partition(":")[0]: [child.tag for child in case]
        for case in suite.findall("testcase")
    }
    assert found == {
        "P": [], "F": ["failure"], "I": ["error"], "W": ["skipped"], "V": ["skipped"],
        "O": ["skipped"],
    }  # fmt: skip
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "6", "failures": "1", "errors": "1", "skipped": "3"}
    (error,) = suite.iter("error")
    assert error.get("message") == "inconclusive: n = 4 <&> "


def test_sarif_points_at_the_rules_line_and_keeps_waivers_apart():
    log = json.loads(as_sarif(VERDICT, "0.1.0"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    described = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in described] == ["P", "F", "I", "W", "V", "O"]
    found = {one["ruleId"]: one for one in run["results"]}
    assert set(found) == {"F", "I", "W", "V"}  # a viewer shows any result as an alert
    assert {name: one["level"] for name, one in found.items()} == {
        "F": "error", "I": "error", "W": "warning", "V": "error",
    }  # fmt: skip
    for one in found.values():
        assert described[one["ruleIndex"]]["id"] == one["ruleId"]
    place = found["F"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "hipaudit.toml"
    assert place["region"]["startLine"] == 7
    assert "suppressions" not in found["F"]
    assert found["V"]["suppressions"][0]["kind"] == "external"


@pytest.mark.parametrize("outcome", ["fail", "inconclusive"])
def test_what_is_not_passed_is_green_in_neither(outcome):
    verdict = Verdict(outcome=outcome, exit_code=1, rules=(rule("X", outcome),))
    assert f"<{'failure' if outcome == 'fail' else 'error'}" in as_junit(verdict)
    assert json.loads(as_sarif(verdict, ""))["runs"][0]["results"][0]["level"] == "error"


def test_gate_writes_several_forms_at_once(hipaudit, audit_json, write_rules, tmp_path):
    write_rules("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"', "min = 0.85")
    kinds = {"junit": "gate.xml", "sarif": "gate.sarif", "md": "gate.md"}
    asked = [part for kind, name in kinds.items() for part in ("--output", f"{kind}={name}")]
    code, out, _ = hipaudit("gate", audit_json, "--format", "json", *asked)
    assert code == 1
    assert json.loads(out)["verdict"]["outcome"] == "fail"
    assert 'failures="1"' in (tmp_path / "gate.xml").read_text()
    (result,) = json.loads((tmp_path / "gate.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "HA1"
    assert "HA1" in (tmp_path / "gate.md").read_text()


def test_of_several_audits_the_worst_decides(hipaudit, audit_json, write_rules, tmp_path):
    write_rules("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"', "min = 0.8")
    other = tmp_path / "other" / "audit.json"
    other.parent.mkdir()
    assert hipaudit("gate", audit_json)[0] == 0
    told = json.loads(audit_json.read_text())
    for finding in told["findings"]:
        finding["metric"] = "accuracy"  # no finding of sensitivity is left
    other.write_text(json.dumps(told))
    assert hipaudit("gate", audit_json, other)[0] == 3
    code, _, err = hipaudit("gate", audit_json, other, "--output", "junit=x.xml")
    assert (code, "one at a time" in err) == (2, True)


def test_the_action_obeys_the_gate_and_says_the_verdict(audit_json, write_rules, tmp_path):
    root = Path(__file__).parents[2]
    steps = yaml.safe_load((root / "action.yml").read_text())["runs"]["steps"]
    script = next(step["run"] for step in steps if step.get("id") == "judge")
    assert "${{" not in script  # what is put into a script by an expression would be run
    write_rules("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"', "min = 0.85")
    told = tmp_path / "told"
    asked = {"MODEL": "", "DATA": "", "AUDIT": str(audit_json), "CONFIG": "hipaudit.toml"}
    asked |= {"BASELINE": "", "PRESET": "ci", "ARGUMENTS": "-q", "OUT": "out dir"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, **asked, "PATH": path, "GITHUB_OUTPUT": str(told)}
    bash = shutil.which("bash")
    child = subprocess.run(
        [bash, "-e", "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert child.returncode == 1, child.stderr
    assert told.read_text().splitlines() == ["verdict=fail", "sarif=out dir/gate.sarif"]
    assert (tmp_path / "out dir" / "gate.xml").exists()

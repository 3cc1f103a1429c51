"""JUnit and SARIF: what other tools read of a verdict."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from audit.gate.verdict import RuleVerdict, Verdict
from hipaudit.exports.junit import as_junit
from hipaudit.exports.sarif import as_sarif
from hipaudit.tell import github_annotations


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


def test_where_the_site_lets_inconclusive_through_no_test_fails_and_no_alert_is_an_error():
    lenient = VERDICT.model_copy(update={"on_inconclusive": "warn"})
    cases = {
        case.get("name", "").partition(":")[0]: case
        for case in ElementTree.fromstring(as_junit(lenient)).iter("testcase")  # noqa: S314
    }
    assert [child.tag for child in cases["I"]] == ["skipped"]
    assert cases["I"][0].get("message") == "warning only: inconclusive: n = 4 <&> "
    assert [child.tag for child in cases["F"]] == ["failure"]
    (run,) = json.loads(as_sarif(lenient, ""))["runs"]
    levels = {one["ruleId"]: one["level"] for one in run["results"]}
    assert levels == {"F": "error", "I": "warning", "W": "warning", "V": "error"}
    kinds = [line.split(" ")[0] for line in github_annotations(lenient)]
    assert kinds == ["::error", "::warning", "::warning", "::warning"]


def test_annotations_and_alerts_find_a_rule_file_in_a_folder(
    hipaudit, audit_json, write_rules, tmp_path, monkeypatch
):
    (tmp_path / "ci rules").mkdir()
    rule = ("[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"', "min = 0.85")
    path = write_rules(*rule, name="ci rules/hipaudit.toml")

    def places() -> tuple[str, str]:
        asked = ("--format", "github", "--output", "sarif=gate.sarif", "--config", path)
        out = hipaudit("gate", audit_json, *asked)[1]
        (result,) = json.loads((tmp_path / "gate.sarif").read_text())["runs"][0]["results"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        return out.splitlines()[0].partition("::error ")[2].partition(",line=2,")[0], place

    assert places() == ("file=ci rules/hipaudit.toml", "ci%20rules/hipaudit.toml")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # a job may work in a folder of the repository
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert hipaudit("gate", audit_json, "--config", path, "--format", "github")[1].startswith(
        "::error file=ci rules/hipaudit.toml,line=2,"
    )
    told = json.loads((audit_json.parent / "verdict.json").read_text())
    assert told["gate_file"] == "hipaudit.toml"  # what is kept names no folder


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
    for more in (("--output", "junit=x.xml"), ("--format", "json")):
        code, out, err = hipaudit("gate", audit_json, other, *more)
        assert (code, out, "one at a time" in err) == (2, "", True)
    copy = audit_json.parent / "copy.json"
    copy.write_bytes(audit_json.read_bytes())
    code, _, err = hipaudit("gate", audit_json, copy)  # one verdict.json would replace the other
    assert (code, "folders of their own" in err) == (2, True)
    missing = tmp_path / "none" / "audit.json"
    assert hipaudit("gate", missing, audit_json)[0] == 2
    assert hipaudit("gate", audit_json, missing)[0] == 2

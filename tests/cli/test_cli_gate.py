from __future__ import annotations

import json

import pytest

RULE = ["[[gate.rule]]", 'id = "HA1"', 'metric = "sensitivity"']


@pytest.mark.parametrize(
    ("threshold", "code", "word"),
    [("min = 0.8", 0, "met"), ("min = 0.85", 1, "NOT MET"), ("max_drop = 0.1", 3, "inconclusive")],
)
def test_the_exit_code_is_the_verdict(hipaudit, audit_json, write_rules, threshold, code, word):
    write_rules(*RULE, threshold)
    found, out, _ = hipaudit("gate", audit_json)
    assert found == code
    assert word in out
    verdict = json.loads((audit_json.parent / "verdict.json").read_text())
    assert verdict["exit_code"] == code
    assert verdict["rules"][0]["id"] == "HA1"
    assert set(verdict) >= {
        "schema_version", "outcome", "gate_file_sha256", "gate_file_recorded_before", "audit_sha256"
    }  # fmt: skip


def test_no_rules_is_exit_0_and_said(hipaudit, audit_json):
    code, out, _ = hipaudit("gate", audit_json)
    assert code == 0
    assert "no gate set" in out


def test_rules_of_a_pyproject_are_used_when_there_is_no_hipaudit_toml(
    hipaudit, audit_json, tmp_path
):
    rule = ["[[tool.hipaudit.gate.rule]]", *RULE[1:], "min = 0.85"]
    (tmp_path / "pyproject.toml").write_text("\n".join(["[tool.hipaudit]", "schema = 1", *rule]))
    assert hipaudit("gate", audit_json)[0] == 1


def test_somebody_elses_broken_pyproject_is_not_our_business(hipaudit, audit_json, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.other\n")
    assert hipaudit("gate", audit_json)[0] == 0


def test_json_on_stdout_is_json_and_nothing_else(hipaudit, audit_json, write_rules):
    write_rules(*RULE, "min = 0.85")
    code, out, err = hipaudit("gate", audit_json, "--format", "json")
    assert code == 1
    assert json.loads(out)["verdict"]["outcome"] == "fail"
    assert err == ""


def test_github_annotations_point_at_the_rule_and_are_at_most_ten_of_a_kind(
    hipaudit, audit_json, write_rules, tmp_path, monkeypatch
):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    lines = []
    for number in range(12):
        lines += ["[[gate.rule]]", f'id = "HA{number}"', 'metric = "sensitivity"', "min = 0.85"]
    write_rules(*lines)
    code, out, _ = hipaudit("gate", audit_json, "--format", "github")
    assert code == 1
    found = out.splitlines()
    assert len(found) == 10
    assert found[0].startswith("::error file=hipaudit.toml,line=2,title=HA0 fail::")
    assert "95%25" in found[0]  # a bare % would be read as an escape
    assert "| HA11 |" in summary.read_text()


def test_the_baseline_is_what_max_drop_compares_with(hipaudit, audit_json, write_rules):
    write_rules(*RULE, "max_drop = 0.3")
    assert hipaudit("gate", audit_json, "--baseline", audit_json)[0] == 0


def test_text_that_is_not_ours_cannot_break_a_markdown_table():
    from hipaudit.summary import markdown_cell

    assert markdown_cell("a|b\n[x](javascript:y) <b>") == r"a\|b \[x\](javascript:y) \<b\>"

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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"value": 0.9', '"value": NaN'),
        ('"value": 0.9', '"value": 1e999'),
        ('"value": 0.9', '"value": "0.9"x'),
        ('"value": 0.9', '"value": [' + "[" * 300),
        ('"n": 100', '"n": 1' + "0" * 5000),
        ('"n": 100', '"n": 100.5'),
        ('"metric": "sens', '"metric": "\\ud800sens'),
        ('"state": "done"', '"state": "well done"'),
        ('"low": 0.8', '"low": 0.8, "certified": true'),
        ('"schema_version": 1', '"schema_version": 2'),
        ('"schema_version": 1', '"version": 1'),
    ],
)
def test_an_audit_that_was_damaged_is_refused_in_one_line(
    hipaudit, audit_json, write_rules, old, new
):
    write_rules(*RULE, "min = 0.8")
    whole = audit_json.read_text()
    assert old in whole
    audit_json.write_text(whole.replace(old, new))
    for args in (("gate", audit_json), ("gate", audit_json, "--baseline", audit_json)):
        code, out, err = hipaudit(*args)
        assert (code, out) == (2, "")
        assert err.startswith("error: Expected")
        assert err.count("\n") == 1
    audit_json.write_bytes(whole.encode()[:-200])
    assert hipaudit("gate", audit_json)[0] == 2
    assert not (audit_json.parent / "verdict.json").exists()


def test_an_audit_without_what_a_rule_asks_is_never_met(hipaudit, audit_json, write_rules):
    """Taken out of the file by hand, one at a time."""
    write_rules(*RULE, "min = 0.8")
    assert hipaudit("gate", audit_json)[0] == 0
    whole = json.loads(audit_json.read_text())
    changes = [
        {"findings": []},
        {"plan": {**whole["plan"], "runs": []}},
        {"data": {**whole["data"], "cases": 0}},
        {"findings": [{**f, "value": None} for f in whole["findings"]]},
        {"findings": [{**f, "value": 0.2} for f in whole["findings"]]},  # its limits are left
    ]
    for change in changes:
        audit_json.write_text(json.dumps({**whole, **change}))
        assert hipaudit("gate", audit_json)[0] == 3, change


def test_a_step_summary_that_cannot_be_written_does_not_change_the_verdict(
    hipaudit, audit_json, write_rules, tmp_path, monkeypatch
):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    for threshold, code in (("min = 0.8", 0), ("min = 0.85", 1), ("max_drop = 0.1", 3)):
        write_rules(*RULE, threshold)
        found, _, err = hipaudit("gate", audit_json, "--format", "github")
        assert (found, "warning: no step summary" in err) == (code, True)


def test_a_build_with_a_fixed_date_does_not_revive_an_expired_waiver(
    hipaudit, audit_json, write_rules, monkeypatch
):
    waiver = ["[[gate.waiver]]", 'rule = "HA1"', 'reason = "RISK-14"', 'owner = "physics"']
    write_rules(*RULE, "min = 0.99", *waiver, "expires = 2020-01-31")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1577836800")  # 2020-01-01
    assert hipaudit("gate", audit_json)[0] == 1
    told = json.loads((audit_json.parent / "verdict.json").read_text())
    assert told["judged_on"] == "2020-01-01"
    write_rules(*RULE, "min = 0.99", *waiver, "expires = 9999-01-31")
    assert hipaudit("gate", audit_json)[0] == 0


def test_hostile_texts_stay_within_their_annotation_and_their_cell(
    hipaudit, audit_json, write_rules, tmp_path, monkeypatch
):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    name = 'id = "A\\n::error::x,line=9::%0A|<b>[y](javascript:z)"'
    write_rules("[[gate.rule]]", name, 'metric = "sens\\r\\n| x |`"', "min = 0.85")
    code, out, _ = hipaudit("gate", audit_json, "--format", "github")
    assert code == 3
    (line,) = out.splitlines()
    head, _, text = line.removeprefix("::").partition("::")
    assert head.startswith("error file=hipaudit.toml,line=2,title=A%0A%3A%3Aerror%3A%3Ax%2Cline=9")
    assert head.endswith("%250A|<b>[y](javascript%3Az) inconclusive")
    assert "sens%0D%0A| x |`" in text
    rows = [row for row in summary.read_text().splitlines() if row.startswith("| A ")]
    assert len(rows) == 1
    unescaped = [at for at, c in enumerate(rows[0]) if c == "|" and rows[0][at - 1 : at] != "\\"]
    assert len(unescaped) == 7


def test_an_option_is_set_in_the_environment_by_the_name_it_has_on_the_command_line(
    hipaudit, audit_json, write_rules, tmp_path, monkeypatch
):
    write_rules(*RULE, "min = 0.85", name="other.toml")
    monkeypatch.setenv("HIPAUDIT_FORMAT", "json")
    monkeypatch.setenv("HIPAUDIT_OUTPUT", "junit=gate.xml md=gate.md")
    monkeypatch.setenv("HIPAUDIT_CONFIG", "other.toml")
    code, out, _ = hipaudit("gate", audit_json)
    assert (code, json.loads(out)["verdict"]["gate_file"]) == (1, "other.toml")
    assert (tmp_path / "gate.xml").exists()
    assert (tmp_path / "gate.md").exists()

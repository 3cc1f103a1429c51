from __future__ import annotations

import hashlib
from datetime import date

import pytest

from audit.errors import HipauditError
from audit.gate.judge import load_rules

GOOD = """\
schema = 1
[data]
positive_class = "fracture"
cluster_by = "patient_id"
[gate]
on_inconclusive = "fail"
assume_independent = false
[[gate.rule]]
id = "HA201"
metric = "robust_sensitivity"
where = { stress = "fgsm", epsilon = "2/255" }
min = 0.30
bound = "lower"
level = "error"
[[gate.rule]]
id = "HA301"
metric = "sensitivity"
gap_by = "view"
between = ["frontal", "lateral"]
max = 0.10
min_n = 50
[[gate.rule]]
id = "HA901"
metric = "auroc"
max_drop = 0.02
[[gate.waiver]]
rule = "HA301"
reason = "lateral views under-represented, RISK-14"
owner = "physics"
expires = 2027-03-31
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "hipaudit.toml"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def test_a_rule_file_is_read_with_the_lines_its_rules_are_on(write):
    rules = load_rules(write(GOOD))
    assert [rule.id for rule in rules.rules] == ["HA201", "HA301", "HA901"]
    assert rules.lines == {"HA201": 8, "HA301": 15, "HA901": 22}
    assert rules.gate.waiver[0].expires == date(2027, 3, 31)
    assert rules.data.positive_class == "fracture"
    assert rules.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


def test_rules_may_lie_in_pyproject_whose_other_tables_do_not_change_their_hash(write):
    table = GOOD.replace("[data]", "[tool.hipaudit.data]").replace("gate", "tool.hipaudit.gate")
    text = table.replace("schema = 1", "[tool.hipaudit]\nschema = 1")
    first = load_rules(write(text, "pyproject.toml"))
    second = load_rules(write(text + "\n[tool.other]\nx = 1\n", "pyproject.toml"))
    assert len(first.rules) == 3
    assert first.sha256 == second.sha256
    assert first.lines["HA201"] == 9


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("min_n = 50", "minn = 50", r'line 21\), but found "minn". Did you mean "min_n"'),
        ("on_inconclusive", "on_inconclusiv", r'line 6\), .*Did you mean "on_inconclusive"'),
        ("[data]", "[dta]", r'line 2\), .*"dta". Did you mean "data"'),
        ("min = 0.30", "minimum = 0.30", r'line 12\), but found "minimum". Did you mean "min"'),
        ("schema = 1", "version = 1", r"line 1\)"),
        ("min = 0.30", "min = 0.5\nmax = 0.4", r"line 8\).*min 0.5 is above max 0.4"),
        ("min_n = 50", "min_n = -1", r"line 21\)"),
        ("min_n = 50", "min_n = 50.5", r"line 21\)"),
        ('gap_by = "view"', 'gap_by = "view"\nwhere = { view = "any" }', "leave it out of where"),
        ('"lateral"]', '"any"]', 'values, not "any"'),
        ('owner = "physics"', 'owner = " "', r"line 29\)"),
        ('level = "error"', 'level = "eror"', r"line 14\)"),
        ("[data]", '[data]\npositive_clas = "x"', r'Did you mean "positive_class"'),
        ("[[gate.rule]]", "[gate.rule]", r"line"),
        ("min = 0.30", "min = 1" + "0" * 400, r"hipaudit.toml"),
        ("min = 0.30", "min = 1" + "0" * 5000, r"hipaudit.toml"),
        ("min = 0.30", "min = " + "[" * 50_000, r"hipaudit.toml"),
        ("min = 0.30", "min = 0.30\nmin = 0.1", r"hipaudit.toml.*line 13"),
        ("min = 0.30", 'min = "0.30"', r"line 12\)"),
        ("min = 0.30", "min = nan", r"line 12\)"),
        ("min = 0.30", "min = true", r"line 12\)"),
        ("max = 0.10\n", "", r"line 15\).*min, max or max_drop"),
        ('bound = "lower"', 'bound = "low"', r"line 13\)"),
        ("max_drop = 0.02", "max_drop = 0.02\nmin = 0.1", r"line 22\).*max_drop stands alone"),
        ('id = "HA301"', 'id = "HA201"', 'two rules are called "HA201"'),
        ('rule = "HA301"', 'rule = "HA999"', 'the rule "HA999", which does not exist'),
        ("expires = 2027-03-31", "", r'"expires" .*line 26'),
        ("expires = 2027-03-31", 'expires = "soon"', r"line 30\)"),
        ('owner = "physics"', 'owner = ""', r"line 29\)"),
        ("schema = 1", "schema = 2", r"line 1\)"),
        ("schema = 1", "", r"schema = 1"),
        ("[gate]", "[gate", r"line 5"),
        ('between = ["frontal", "lateral"]', 'between = ["frontal"]', "two different values"),
        ("schema = 1", 'schema = 1\nsha256 = "ab"', '"sha256"'),
    ],
)
def test_a_mistake_is_one_line_that_names_its_line(write, old, new, said):
    assert old in GOOD
    with pytest.raises(HipauditError, match=said) as caught:
        load_rules(write(GOOD.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


def test_a_rule_file_that_is_not_there_not_text_or_enormous_is_refused(write, tmp_path):
    with pytest.raises(HipauditError, match=r"no file named nothing\.toml"):
        load_rules(tmp_path / "nothing.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HipauditError, match="UTF-8"):
        load_rules(binary)
    with pytest.raises(HipauditError, match="under 1 MB"):
        load_rules(write("#" * (2 << 20)))
    for other in ("[tool.other]\n", "tool = 3\n", "[tool]\nhipaudit = 3\n"):
        with pytest.raises(HipauditError, match=r"\[tool.hipaudit\]"):
            load_rules(write(other, "pyproject.toml"))


def test_the_mark_that_windows_writes_before_a_text_does_not_matter(write):
    rules = load_rules(write("\ufeff" + GOOD.replace("\n", "\r\n")))
    assert rules.lines == {"HA201": 8, "HA301": 15, "HA901": 22}


def test_a_rule_whose_line_cannot_be_told_has_none(write):
    commented = GOOD.replace('owner = "physics"', 'owner = """\n[[gate.rule]]\nphysics"""')
    assert load_rules(write(commented)).lines == {}
    inline = 'schema = 1\n[gate]\nrule = [{ id = "A", metric = "auroc", min = 0.5 }]\n'
    rules = load_rules(write(inline))
    assert [rule.id for rule in rules.rules] == ["A"]
    assert rules.lines == {}

"""SARIF and JUnit as their schemas have them. Those schemas are long and not ours: here stand the
parts that what we write falls under, in our own words.

Validated once against the whole of them (2026-11-23): SARIF 2.1.0 (rtm.5), Jenkins' junit-10.xsd
and CHAI's v0.2/schema.xsd, with the same hostile texts as below.
"""

from __future__ import annotations

import json
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from audit.gate.verdict import RuleVerdict, Verdict
from hipaudit.exports.chai import as_chai
from hipaudit.exports.junit import as_junit
from hipaudit.exports.sarif import as_sarif
from reports.card import Card, Identity, Purpose
from tests.sample_results import sample_results

HOSTILE = '<b>"&\x00\x0b\ufffe\u202e é 😀 ]]>'


def rule(name: str, outcome: str, level: str = "error", **more: object) -> RuleVerdict:
    kept = {"metric": "sensitivity", "text": f"{name} asks {HOSTILE}", "reason": HOSTILE} | more
    return RuleVerdict(id=name, outcome=outcome, level=level, **kept)


VERDICTS = (
    Verdict(outcome="no gate set", exit_code=0),
    Verdict(
        outcome="fail",
        exit_code=1,
        gate_file="our rules é 100%.toml",
        warnings=(HOSTILE,),
        rules=(
            rule("P", "pass", line=3),
            rule("F", "fail", line=7, metric="no_such_metric"),
            rule("I", "inconclusive", reason=""),
            rule("W", "fail", level="warn"),
            rule("V", "waived", waived_from="fail", owner="physics"),
            rule(HOSTILE, "off", level="off", metric=HOSTILE, text=""),
        ),
    ),
)
every_verdict = pytest.mark.parametrize("verdict", VERDICTS, ids=["no rule", "rules"])


def closed(properties: dict[str, object], *required: str) -> dict[str, object]:
    """An object with these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
WORDS = closed({"text": TEXT}, "text")
LEVEL = {"enum": ["none", "note", "warning", "error"]}
DESCRIBED = closed(
    {
        "id": TEXT,
        "name": TEXT,
        "shortDescription": WORDS,
        "fullDescription": WORDS,
        "help": WORDS,
        "defaultConfiguration": closed({"enabled": {"type": "boolean"}, "level": LEVEL}),
    },
    "id",
)
PLACE = closed(
    {
        "artifactLocation": closed(
            {"uri": {"type": "string", "format": "uri-reference"}, "uriBaseId": TEXT}
        ),
        "region": closed({"startLine": {"type": "integer", "minimum": 1}}),
    },
    "artifactLocation",
)
SUPPRESSION = closed({"kind": {"enum": ["inSource", "external"]}, "justification": TEXT}, "kind")
RESULT = closed(
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": LEVEL,
        "message": WORDS,
        "locations": {"type": "array", "items": closed({"physicalLocation": PLACE})},
        "suppressions": {"type": "array", "items": SUPPRESSION},
    },
    "message",
)
DRIVER = closed(
    {"name": TEXT, "semanticVersion": TEXT, "rules": {"type": "array", "items": DESCRIBED}},
    "name",
)
RUN = closed(
    {
        "tool": closed({"driver": DRIVER}, "driver"),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": RESULT},
        "properties": {"type": "object"},
    },
    "tool",
)
SARIF = closed(
    {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {"type": "array", "items": RUN},
    },
    "version",
    "runs",
)


@every_verdict
def test_sarif_keeps_to_the_parts_of_its_schema_that_it_uses(verdict):
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    judge = jsonschema.Draft202012Validator(SARIF, format_checker=checker)
    log = json.loads(as_sarif(verdict, "0.1.0"))
    assert [error.message for error in judge.iter_errors(log)] == []
    log["runs"][0]["tool"]["driver"].pop("name")
    assert not judge.is_valid(log)


def test_the_place_of_a_sarif_result_is_an_address_whatever_the_file_is_called():
    places = [
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for one in json.loads(as_sarif(VERDICTS[1], ""))["runs"][0]["results"]
    ]
    assert set(places) == {"our%20rules%20%C3%A9%20100%25.toml"}


def test_a_sarif_alert_says_what_its_metric_means():
    driver = json.loads(as_sarif(VERDICTS[1], ""))["runs"][0]["tool"]["driver"]
    known, unknown = driver["rules"][0]["help"]["text"], driver["rules"][1]["help"]["text"]
    assert "share of the positive cases" in known.lower()
    assert unknown == "More: hipaudit explain no_such_metric"


# Element -> required attributes, further attributes, children, of junit-10.xsd.
MESSAGE = (set(), {"type", "message"}, set())
JUNIT = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"skipped", "time", "timestamp", "hostname", "id", "package", "file"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"classname", "time", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": MESSAGE,
    "error": MESSAGE,
    "skipped": MESSAGE,
    "system-out": (set(), set(), set()),
}


@every_verdict
def test_junit_keeps_to_the_schema_of_jenkins(verdict):
    root = ElementTree.fromstring(as_junit(verdict))  # noqa: S314  # our own text
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, children = JUNIT[element.tag]
        assert required <= set(element.attrib) <= required | optional, element.tag
        assert {child.tag for child in element} <= children, element.tag
    (suite,) = root
    assert int(suite.get("tests")) == len(suite.findall("testcase")) == len(verdict.rules)


def test_text_that_xml_cannot_hold_is_left_out_of_the_chai_card():
    card = Card(
        identity=Identity(developer=HOSTILE),
        purpose=Purpose(intended_purpose=f"{HOSTILE}\uffff", users="R"),
    )
    root = ElementTree.fromstring(as_chai(sample_results(), card))  # noqa: S314  # our own text
    (developer,) = root.iter("{https://mc.chai.org/v0.2/schema.xsd}ModelDeveloper")
    assert developer.text == '<b>"&\u202e é 😀 ]]>'


def test_the_action_is_a_composite_one_whose_inputs_are_all_described():
    """What GitHub asks of an action.yml; validated once against its published schema."""
    from pathlib import Path

    action = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text())
    assert {"name", "description", "runs"} <= set(action)
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "shell" in step or "uses" in step
    assert all(one["description"] for one in action["inputs"].values())
    steps = {step.get("id") for step in action["runs"]["steps"]}
    for output in action["outputs"].values():
        assert output["value"].partition("steps.")[2].split(".")[0] in steps
